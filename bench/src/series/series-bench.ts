import { rmSync } from "node:fs";
import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { type Client, createClient, createRouterTransport } from "@connectrpc/connect";
import type { MessageBatch } from "@devicemesh/ingest";
import { builtInSensors } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { queryRoutes } from "@devicemesh/query";
import { type EmbeddedStore, openEmbeddedStore } from "@devicemesh/store-duckdb";
import { type MachineFacts, machineFacts } from "../report/machine.ts";

/** The options of a run. */
export type SeriesBenchSettings = {
  readonly series: number;
  readonly rounds: number;
  readonly cache: string;
  readonly progress: (line: string) => void;
};

/** The results for a store with this number of series. */
export type SeriesFigures = {
  readonly series: number;
  readonly fillMs: number;
  readonly bySensorMs: readonly number[];
  readonly pageMs: readonly number[];
  /** Appends of one reading each of known series, while aggregates by sensor are queried. */
  readonly appendMs: readonly number[];
  /** The longest block of the event loop while queries and appends ran. */
  readonly blockedMs: number;
  readonly rssMib: number;
};

/** The results: in a small store, and in the large one. */
export type SeriesResult = {
  readonly machine: MachineFacts;
  readonly small: SeriesFigures;
  readonly large: SeriesFigures;
};

const batchReadings = 1000;
const smallSeries = 1000;

/** Measures a store of many series beside a small one, in this process: store, queries and appends share its loop. */
export async function runSeriesBench(settings: SeriesBenchSettings): Promise<SeriesResult> {
  const small = await measure({ ...settings, series: smallSeries });
  const large = await measure(settings);
  return { machine: machineFacts(Date.now()), small, large };
}

async function measure({ series, rounds, cache, progress }: SeriesBenchSettings): Promise<SeriesFigures> {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "series-"));
  try {
    let nowMs = Date.UTC(2026, 10, 24, 12);
    const clock = (): number => nowMs;
    await using store = await openEmbeddedStore({
      folder,
      clock,
      seriesLimits: { max: series, maxPerPublisher: series },
    });
    const beganMs = performance.now();
    for (let first = 0; first < series; first += 50 * batchReadings) {
      const starts = Array.from({ length: 50 }, (_, batch) => first + batch * batchReadings);
      await Promise.all(starts.filter((start) => start < series).map((start) => append(store, start, nowMs)));
    }
    nowMs += 700_000;
    await store.maintain();
    const fillMs = performance.now() - beganMs;
    progress(`${series} series stored and folded in ${Math.round(fillMs / 1000)} s`);
    const query = createClient(
      QueryService,
      createRouterTransport(queryRoutes({ store: store.readings, clock })),
    );
    return { series, fillMs, ...(await ask({ store, query, series, rounds, nowMs })) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ask(options: {
  readonly store: EmbeddedStore;
  readonly query: Client<typeof QueryService>;
  readonly series: number;
  readonly rounds: number;
  readonly nowMs: number;
}): Promise<Omit<SeriesFigures, "series" | "fillMs">> {
  const { store, query, series, rounds, nowMs } = options;
  const eventLoop = monitorEventLoopDelay({ resolution: 5 });
  const appendMs: number[] = [];
  const bySensorMs: number[] = [];
  let asking = true;
  async function appendOn(): Promise<void> {
    for (let round = 1; asking; round++) {
      const row = (round * 7919) % series;
      appendMs.push(await timed(() => store.log.append(batchOf(row, 1, nowMs + round))));
    }
  }
  await query.getAggregates({ groupBy: GroupBy.SENSOR });
  eventLoop.enable();
  const appending = appendOn();
  for (let round = 0; round < rounds; round++) {
    bySensorMs.push(await timed(() => query.getAggregates({ groupBy: GroupBy.SENSOR })));
  }
  const pageMs: number[] = [];
  let pageToken = "";
  for (let page = 0; page < rounds; page++) {
    pageMs.push(
      await timed(async () => {
        pageToken = (await query.listSeries({ pageSize: 100, pageToken })).nextPageToken;
      }),
    );
  }
  asking = false;
  await appending;
  eventLoop.disable();
  const rssMib = process.memoryUsage.rss() / 1024 ** 2;
  return { bySensorMs, pageMs, appendMs, blockedMs: eventLoop.max / 1e6, rssMib };
}

async function append(store: EmbeddedStore, first: number, nowMs: number): Promise<void> {
  const batch = batchOf(first, batchReadings, nowMs - 60_000);
  for (const deviceId of batch.deviceIds) store.admitSeries(deviceId, 0);
  await store.log.append(batch);
}

/** Returns one reading of each of some devices, whose names are not in their order of arrival. */
function batchOf(first: number, length: number, firstMs: number): MessageBatch {
  return {
    length,
    deviceIds: Array.from({ length }, (_, row) => `device-${((first + row) * 7919) % 99_999_989}`),
    sensors: builtInSensors,
    sensorCodes: new Uint16Array(length),
    timestampsMs: Float64Array.from({ length }, (_, row) => firstMs + ((first + row) % 50_000)),
    values: Float64Array.from({ length }, (_, row) => ((first + row) % 4000) / 100),
  };
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await run();
  return performance.now() - beganMs;
}
