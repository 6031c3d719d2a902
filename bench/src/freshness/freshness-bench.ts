import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openWindowSession } from "@devicemesh/aggregator/window-job/window-job-session";
import { type EngineAddresses, installEngines } from "@devicemesh/engines";
import { chainNames } from "@devicemesh/pipeline";
import { startBenchEngines } from "../mesh/bench-engines.ts";
import { createBenchServices, databaseOf } from "../mesh/bench-services.ts";
import { measureFreshness, probeDevice } from "../mesh/mesh-freshness.ts";
import { openBenchStore } from "../mesh/mongo-bench-store.ts";
import type { ProbeDelays } from "../mesh/probe-times.ts";
import { type LoadSpread, watchMachineLoad } from "../report/load-watch.ts";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import { cpuMs } from "../report/process-usage.ts";
import { type SegmentHops, segmentHops, type TimedBatch } from "./hops.ts";
import { followPartials } from "./kafka-partials.ts";
import { watchBatchTimes } from "./watch-batch-times.ts";
import { watchValue } from "./watch-value.ts";

/** The size of a run. */
export type FreshnessBenchSettings = {
  /** Number of devices with a reading a second each; none for ticks and probes alone. */
  readonly devices: number;
  readonly warmUpMs: number;
  readonly liveMs: number;
  readonly cache: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
};

/** The sizes of a real run, and of a quick one. */
export function freshnessSizes(
  quick: boolean,
): Pick<FreshnessBenchSettings, "devices" | "warmUpMs" | "liveMs"> {
  return { devices: 500, warmUpMs: quick ? 5000 : 40_000, liveMs: quick ? 15_000 : 60_000 };
}

/** The results. */
export type FreshnessResult = {
  readonly kind: "freshness";
  readonly machine: MachineFacts;
  readonly load: LoadSpread;
  readonly devices: number;
  readonly seconds: number;
  readonly probes: ProbeDelays;
  readonly segments: readonly SegmentHops[];
  readonly batches: readonly TimedBatch[];
  /** CPU of each process in the live part, in cores. */
  readonly cores: Readonly<Record<string, number>>;
  readonly database: "mongod" | "stand-in";
};

const prefix = "bench-freshness-";
const partitions = 4;
const segmentMs = 10_000;
/** Far enough apart to add no load. */
const probeEveryMs = 300;
const watchEveryMs = 25;

/**
 * Measures how old answers and windows are behind a real mesh under a steady load, and where the time goes.
 * @throws Error if a service dies, or a probe is not covered within two minutes.
 */
export async function runFreshnessBench(settings: FreshnessBenchSettings): Promise<FreshnessResult> {
  const { devices, cache, env, progress, signal: stopped } = settings;
  const machineLoad = watchMachineLoad();
  const folder = join(cache, "freshness");
  const installed = await installEngines({ report: progress });
  progress("starting Kafka, Kafka Connect, MongoDB and Spark ...");
  await using stack = new AsyncDisposableStack();
  const engines = stack.use(await startBenchEngines({ folder, signal: stopped }));
  const { addresses } = engines;
  const services = stack.use(
    createBenchServices({ engines: addresses, prefix, folder, partitions, devices, env, signal: stopped }),
  );
  const processIds = new Map<string, number>();
  for (const { name, processId } of await engines.status()) {
    if (processId !== undefined) processIds.set(name, processId);
  }
  const addressOf = new Map<string, string>();
  const used = ["operator", "ingest", "aggregator", ...(devices > 0 ? ["generator"] : []), "query"] as const;
  for (const name of used as readonly Parameters<typeof services.start>[0][]) {
    const { address, pid } = await services.start(name);
    addressOf.set(name, address);
    processIds.set(name, pid);
  }
  const { signal } = services;
  progress(`${devices} devices play; warming up for ${settings.warmUpMs / 1000} s ...`);
  await delay(settings.warmUpMs, undefined, { signal });
  progress(`measuring for ${settings.liveMs / 1000} s ...`);
  const cpu = (): Map<string, number> => new Map([...processIds].map(([name, id]) => [name, cpuMs(id)]));
  const [startMs, cpuBefore] = [Date.now(), cpu()];
  let cpuAfter = cpuBefore;
  setTimeout(() => {
    cpuAfter = cpu();
  }, settings.liveMs).unref();
  const observed = await observe({
    addresses,
    ingest: addressOf.get("ingest") as string,
    query: addressOf.get("query") as string,
    liveMs: settings.liveMs,
    signal,
  });
  const result: FreshnessResult = {
    kind: "freshness",
    machine: machineFacts(Date.now()),
    load: machineLoad.stop(),
    devices,
    seconds: settings.liveMs / 1000,
    probes: observed.probes,
    segments: segmentHops({ ...observed, sinceMs: startMs, toMs: startMs + settings.liveMs, segmentMs }),
    batches: observed.batches.filter(
      ({ beganMs }) => beganMs >= startMs && beganMs < startMs + settings.liveMs,
    ),
    cores: Object.fromEntries(
      [...cpuAfter].map(([name, ms]) => [name, (ms - (cpuBefore.get(name) ?? 0)) / settings.liveMs]),
    ),
    database: installed.mongo().kind,
  };
  await stack.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
  return result;
}

async function observe(options: {
  readonly addresses: EngineAddresses;
  readonly ingest: string;
  readonly query: string;
  readonly liveMs: number;
  readonly signal: AbortSignal;
}) {
  const { addresses, liveMs, signal } = options;
  const database = databaseOf(prefix);
  await using stack = new AsyncDisposableStack();
  const store = stack.use(openBenchStore({ url: addresses.mongodbUrl, database }));
  const topic = stack.use(
    await followPartials({
      brokers: addresses.kafkaBrokers,
      names: chainNames({ prefix, database }),
      segmentMs,
    }),
  );
  const spark = stack.use(openWindowSession({ address: addresses.sparkUrl, topicPrefix: prefix, database }));
  const batches = stack.use(watchBatchTimes(spark));
  const committed = stack.use(
    watchValue({
      everyMs: watchEveryMs,
      read: topic.committed,
      isEqual: (a, b) => [...a].every(([partition, offset]) => b.get(partition) === offset),
    }),
  );
  const published = stack.use(watchValue({ everyMs: watchEveryMs, read: store.frontierMs }));
  const { probes, frontiers } = await measureFreshness({
    ingest: options.ingest,
    query: options.query,
    ms: liveMs,
    everyMs: probeEveryMs,
    countStored: () => store.countReadingsOf(probeDevice),
    signal,
  });
  const kept = {
    probes,
    answered: frontiers,
    committed: committed.seen,
    published: published.seen,
    partials: topic.segments(),
    batches: await batches.all(),
  };
  await stack.disposeAsync();
  return kept;
}
