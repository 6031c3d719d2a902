import { rmSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { installEngines } from "@devicemesh/engines";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { startBenchEngines } from "../mesh/bench-engines.ts";
import { createBenchServices } from "../mesh/bench-services.ts";
import { type LoadSpread, watchMachineLoad } from "../report/load-watch.ts";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import { type Burst, measureBurst } from "./burst.ts";
import { openLateStore } from "./mongo-late-store.ts";

/** The options of a run. */
export type LateBenchSettings = {
  /** Readings of a burst; a multiple of 1000. */
  readonly readings: number;
  /** Readings of the burst before, which is not counted; a multiple of 1000. */
  readonly warmUpReadings: number;
  /** Number of questions after each burst. */
  readonly questions: number;
  readonly cache: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
};

/** The results. */
export type LateResult = {
  readonly kind: "late";
  readonly machine: MachineFacts;
  readonly load: LoadSpread;
  readonly bursts: readonly Burst[];
  readonly database: "mongod" | "stand-in";
};

const prefix = "bench-late-";
const day = 86_400;

/**
 * Sends the same number of readings as devices send them that were offline for minutes, and anywhere in a day, through
 * the whole mesh. Its folder in the cache is emptied before, and removed after a successful run.
 * @throws Error if an answer does not count exactly the acknowledged readings, or a step takes too long.
 */
export async function runLateBench(settings: LateBenchSettings): Promise<LateResult> {
  const { readings, warmUpReadings, questions, cache, env, progress } = settings;
  const machineLoad = watchMachineLoad();
  const folder = join(cache, "late");
  const installed = await installEngines({ report: progress });
  progress("starting Kafka, Kafka Connect, MongoDB and Spark ...");
  await using stack = new AsyncDisposableStack();
  const { addresses } = stack.use(await startBenchEngines({ folder, signal: settings.signal }));
  const services = stack.use(
    createBenchServices({
      engines: addresses,
      prefix,
      folder,
      partitions: 4,
      devices: 1,
      env,
      signal: settings.signal,
    }),
  );
  const { signal } = services;
  await services.start("operator");
  const ingest = await services.start("ingest");
  await services.start("aggregator");
  // Query needs the generator's address, so the generator starts first.
  await services.start("generator");
  const { address } = await services.start("query");
  const query = createClient(QueryService, createGrpcTransport({ baseUrl: `http://${address}` }));
  const store = stack.use(openLateStore({ url: addresses.mongodbUrl, database: services.database }));
  const bursts: Burst[] = [];
  const startSeconds = Math.floor(Date.now() / 1000) - 300 * day;
  for (const [place, isLate] of [false, false, true].entries()) {
    const isWarmUp = place === 0;
    const burst = await measureBurst(
      {
        isLate,
        readings: isWarmUp ? warmUpReadings : readings,
        questions: isWarmUp ? 5 : questions,
        // A day of its own, far from the others: no reading is a duplicate.
        startSeconds: startSeconds + place * 10 * day,
      },
      { port: ingest.port, query, store, signal },
    );
    progress(
      `${burst.readings} readings, ${isLate ? "anywhere in a day" : "in order"}: ${burst.partials} partials`,
    );
    if (!isWarmUp) bursts.push(burst);
  }
  const result: LateResult = {
    kind: "late",
    machine: machineFacts(Date.now()),
    load: machineLoad.stop(),
    bursts,
    database: installed.mongo().kind,
  };
  await stack.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
  return result;
}
