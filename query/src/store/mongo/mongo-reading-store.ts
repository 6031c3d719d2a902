import { unavailable } from "@devicemesh/kit/rpc/rpc-error";
import type { Level, SensorSpec } from "@devicemesh/proto";
import type { Db } from "mongodb";
import { columnPieces, expiredMeanwhile, readingColumns } from "../reading-scan.ts";
import type { ReadingKey, ReadingStore } from "../reading-store.ts";
import { createTailMemory } from "../tail-memory.ts";
import { createChangeWatch } from "./mongo-changes.ts";
import { createHorizonReader, type MeshHorizon } from "./mongo-horizon.ts";
import { createLargeReads } from "./mongo-large-reads.ts";
import { readPlan, readSegment } from "./mongo-partials-reader.ts";
import { findReadings } from "./mongo-readings.ts";
import { findSeries } from "./mongo-series.ts";
import { findDuplicates } from "./mongo-series-duplicates.ts";
import { readMongoSketches } from "./mongo-sketches.ts";
import { readMongoStatus } from "./mongo-status.ts";
import { findDuplicateWindows } from "./mongo-window-duplicates.ts";

/** The reads of the real engines' database, and their end. */
export type MongoReadingStore = ReadingStore & {
  /** From now on every method is UNAVAILABLE, and watches end. The caller owns the connection. */
  close(): void;
};

/** Number of readings in one read of a scan: less than a second of the database, and 2 MiB of memory. */
const scanPageRows = 20_000;

/** Maximum memory for what has arrived since a late frontier, in bytes. */
const tailBytesMax = 24 * 1024 ** 2;

/** Maximum age of a horizon, in ms: two small reads ten times a second at most. */
const horizonCacheMs = 100;

/**
 * Creates the reads over a database whose documents are those of `@devicemesh/pipeline`; see the port for their
 * guarantees. Nothing is read before the first call. `levels` is known once a horizon was read, and throws RpcError
 * UNAVAILABLE before.
 */
export function createMongoReadingStore(options: {
  readonly db: Db;
  /** Ms since 1970. */
  readonly clock: () => number;
  /** Maximum age of a horizon, in ms; a tenth of a second by default. */
  readonly horizonCacheMs?: number;
  /** The sensors of the catalog, whose units must be those of the mesh; none by default. */
  readonly sensors?: readonly Pick<SensorSpec, "sensor" | "unit">[];
}): MongoReadingStore {
  const { db, clock, horizonCacheMs: cacheMs = horizonCacheMs, sensors = [] } = options;
  const closing = new AbortController();
  const horizons = createHorizonReader({ db, clock, cacheMs, sensors });
  const large = createLargeReads(db);
  const tail = createTailMemory({
    bytesMax: tailBytesMax,
    load: (segment, windowMs, add) =>
      large(closing.signal, (options) => readSegment(db, { segment, windowMs, add }, options)),
  });
  const watchChanges = createChangeWatch({ db, closed: closing.signal });

  function check(signal: AbortSignal): void {
    signal.throwIfAborted();
    if (closing.signal.aborted) throw unavailable({ message: "the store is closed", retryDelayMs: 1000 });
  }

  async function readHorizon(signal: AbortSignal): Promise<MeshHorizon> {
    const horizon = await horizons.read(signal);
    tail.follow(horizon, horizons.levels());
    return horizon;
  }

  return {
    get levels() {
      return horizons.levels();
    },
    isRemote: true,
    async readHorizon(signal) {
      check(signal);
      return readHorizon(signal);
    },
    async readDuplicateWindows(request, signal) {
      check(signal);
      const windowMs = (): number => (horizons.levels()[0] as Level).windowMs;
      return large(signal, (options) => findDuplicateWindows({ ...request, db, windowMs }, options));
    },
    async readPartials({ plan, filter, buckets, mergeDevices, partialsMax }, signal) {
      check(signal);
      // Before the reads: everything that arrived before this time is stored, so they see it.
      const { completeThroughMs } = await readHorizon(signal);
      const levels = horizons.levels();
      const { partials: known, rest } = await tail.read({ plan, filter, buckets, mergeDevices });
      const request = { db, plan: rest, known, filter, buckets, levels, mergeDevices, partialsMax };
      const read = await large(signal, (options) => readPlan(request, options));
      return { ...read, completeThroughMs };
    },
    async readSketches(request, signal) {
      check(signal);
      const { rawKeptSinceMs } = await readHorizon(signal);
      const known = { ...request, db, levels: horizons.levels(), rawKeptSinceMs };
      return large(signal, (options) => readMongoSketches(known, options));
    },
    async readReadings(request, signal) {
      check(signal);
      return large(signal, (options) => findReadings(db, request, options));
    },
    async sealHorizon(signal) {
      check(signal);
      return horizons.read(signal);
    },
    async *scanReadings(scan, signal) {
      let after: ReadingKey | undefined;
      do {
        check(signal);
        const page = { ...scan, descending: false, limit: scanPageRows, ...(after && { after }) };
        const found = await large(signal, (options) => findReadings(db, page, options));
        // Marks are raised minutes before anything is deleted, so these are recent enough for the page.
        const { rawKeptSinceMs } = await horizons.read(signal);
        if (rawKeptSinceMs > Math.max(scan.sinceMs, after?.timestampMs ?? 0)) throw expiredMeanwhile();
        yield* columnPieces(readingColumns(found));
        after = found.length < scanPageRows ? undefined : found.at(-1);
      } while (after);
    },
    async readSeries(request, signal) {
      check(signal);
      const { frontiersMs } = await horizons.read(signal);
      const frontierMs = frontiersMs[0] as number;
      return large(signal, (options) => findSeries(db, { ...request, frontierMs }, options));
    },
    async readDuplicates(request, signal) {
      check(signal);
      return findDuplicates(db, request, signal);
    },
    async readStatus(signal) {
      check(signal);
      const horizon = await horizons.read(signal);
      const levels = horizons.levels();
      return large(signal, (options) => readMongoStatus({ db, clock, horizon, levels }, options));
    },
    watchChanges,
    close: () => closing.abort(),
  };
}
