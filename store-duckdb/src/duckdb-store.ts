import { mkdir } from "node:fs/promises";
import type { AdmitOlder, AdmitSeries, MessageLog } from "@devicemesh/ingest";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import type { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import {
  createSensorCatalog,
  defaultLevels,
  type Level,
  type Retention,
  retentionProblem,
  type SensorCatalog,
} from "@devicemesh/proto";
import type { ReadingStore } from "@devicemesh/query";
import {
  createDuplicatesQuota,
  createSeriesAdmission,
  type DiskReserve,
  defaultDuplicatesPerHour,
  defaultSeriesLimits,
  type SeriesLimits,
  type SeriesMade,
} from "./admission.ts";
import { createArrivalClock, createRecentReadings, createStoreProgress } from "./append/commit-clock.ts";
import { readDuplicates } from "./append/duckdb-duplicates.ts";
import { createDuckdbMessageLog } from "./append/duckdb-message-log.ts";
import { openDuckdb } from "./database/duckdb-database.ts";
import { settleSensorUnits } from "./database/duckdb-sensor-units.ts";
import { readStored } from "./database/duckdb-stored-state.ts";
import { createDuckdbTransactions } from "./database/duckdb-writes.ts";
import { createMemoryGate, type MemoryGate } from "./database/memory-gate.ts";
import { createDuckdbRetention } from "./maintenance/duckdb-retention.ts";
import { createDuckdbFolder } from "./maintenance/duckdb-segment-fold.ts";
import { createDuckdbReaders } from "./read/duckdb-readers.ts";
import { createDuckdbReadingStore } from "./read/duckdb-reading-store.ts";
import { createRawMemory } from "./read/raw-memory.ts";
import { createSeriesRegistry } from "./series/series-registry.ts";

/** The options of the store. */
export type EmbeddedStoreOptions = {
  /** The folder of the store's one file; created if it is missing. */
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Elapsed milliseconds, which no step of the clock affects; see createArrivalClock. */
  readonly elapsedMs?: () => number;
  /** The levels of windows, the finest first; `defaultLevels` by default. Fixed when the file is created. */
  readonly levels?: readonly Level[];
  /** The retention; unlimited by default. */
  readonly retention?: Retention;
  /** Number of duplicates and conflicts that a device may send in an hour; `defaultDuplicatesPerHour` by default. */
  readonly duplicatesPerHour?: number | undefined;
  /** The sensors, shared with ingest; the built-in catalog by default. */
  readonly catalog?: SensorCatalog | undefined;
  /** Maximum memory for the engine's buffers, in MiB; `defaultMemoryMib` by default. */
  readonly memoryMib?: number;
  /**
   * Maximum memory for folded windows that answers read again, in MiB, and as much of raw readings; 80 by default. With
   * 0 the engine merges for every query.
   */
  readonly windowMemoryMib?: number | undefined;
  /** Called for failed commits and maintenance, for the log. */
  readonly onFailure?: (what: string, error: unknown) => void;
  /** Returns the number of readings that ingest has rejected so far, for the status. */
  readonly refused?: () => number;
  /** From this number of series on, queries merge devices in the engine; see createDuckdbReadingStore. */
  readonly mergeFromSeries?: number;
  /** The maximum number of series; `defaultSeriesLimits` by default. */
  readonly seriesLimits?: SeriesLimits;
  /** The series that publishers have created so far, if the store is opened again. */
  readonly seriesMade?: SeriesMade;
  /** Guards the free space of the disk; not guarded if left out. */
  readonly reserve?: DiskReserve;
  /** The memory of the engine, if the store is opened again. */
  readonly memory?: MemoryGate;
  /** Whether a read that failed inside the engine is a reason to give the database up; always by default. */
  readonly mayReopenForRead?: (() => boolean) | undefined;
  /**
   * Called when the database is given up, because the engine has invalidated it or failed: nothing works until the
   * store is opened again. `rejection` is the error for callers meanwhile.
   */
  readonly onInvalidated?: (error: unknown, rejection: RpcError) => void;
};

/** Default maximum memory for the engine's buffers, in MiB. */
export const defaultMemoryMib = 192;

/** The embedded store: a message log and a reading store over one DuckDB file. */
export type EmbeddedStore = AsyncDisposable & {
  readonly log: MessageLog;
  /** Decides whether a reading may create a series: see createSeriesAdmission. */
  readonly admitSeries: AdmitSeries;
  readonly readings: Required<ReadingStore>;
  /** Decides whether a reading that may be a duplicate is accepted: see createDuplicatesQuota. */
  readonly admitOlder: AdmitOlder;
  /** Folds the segments that have closed, and deletes expired data. */
  maintain(): Promise<void>;
  /**
   * Returns the timestamp (ms) before which readings must be rejected, because the readings that identify their
   * duplicates may be deleted.
   */
  earliestAcceptedMs(): number;
  /** Commits pending appends and closes the file. Closing again has no effect. */
  close(): Promise<void>;
};

/** Two concurrent queries, for two cores; with the commits and the folding this fills the thread pool of four. */
const readerConnections = 2;

/**
 * Opens, and if needed creates, the store in a folder.
 * @throws StoreOpenError if it is in use or cannot be opened, if its levels differ, or if the unit of a stored sensor
 * has changed; RangeError if the retention contradicts itself.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const { folder, clock, levels = defaultLevels, catalog = createSensorCatalog() } = options;
  const retention = options.retention ?? { rawMs: undefined, levelsMs: levels.map(() => undefined) };
  const problem = retentionProblem(retention);
  if (problem) throw new RangeError(problem);
  const { reserve, memoryMib = defaultMemoryMib, onFailure = () => {}, onInvalidated = () => {} } = options;

  await using opening = new AsyncDisposableStack();
  // The size of the file system is needed before the file is opened, which reports the problems of the folder.
  await mkdir(folder, { recursive: true }).catch(() => {});
  await reserve?.check();
  const database = await openDuckdb(folder, {
    memoryMib,
    threads: 1,
    minFreeBytes: reserve?.measured()?.minFreeBytes,
  });
  opening.defer(() => database.close());
  if (database.tornLog !== undefined) {
    onFailure(
      `the machine lost power while the store was written: the end of its log, which was never acknowledged, is cut off and kept in ${database.tornLog}`,
      undefined,
    );
  }
  async function connect() {
    const connection = await database.connect();
    opening.defer(() => connection.closeSync());
    return connection;
  }
  const { memory = createMemoryGate({ limitBytes: memoryMib * 1024 ** 2 }) } = options;
  const transactions = createDuckdbTransactions({
    memory,
    onGivenUp(error, rejection) {
      readers.abandon(rejection);
      onInvalidated(error, rejection);
    },
  });
  const readers = createDuckdbReaders(
    await Promise.all(Array.from({ length: readerConnections }, () => database.connect())),
    {
      memory,
      giveUp: transactions.giveUp,
      reserve,
      mayReopen: options.mayReopenForRead,
      onFailure: (error) => onFailure("query failed", error),
    },
  );
  opening.defer(() => readers.close());
  const maintenance = await connect();
  const stored = await readStored(maintenance, levels, database.file);
  const startMs = Math.max(stored.logEndMs ?? 0, ...stored.frontiersMs);
  const arrivals = createArrivalClock(clock, startMs, options.elapsedMs);
  const progress = createStoreProgress(arrivals, stored, retention);
  const units = await settleSensorUnits(maintenance, { catalog, file: database.file, transactions });
  const registry = createSeriesRegistry(stored.series, {
    catalog,
    sortedCodes: stored.sortedCodes,
    unitOf: (sensor) => units.get(sensor) ?? "",
  });
  const duplicatesBySeries = await readDuplicates(maintenance);
  const quota = createDuplicatesQuota({
    maxPerHour: options.duplicatesPerHour ?? defaultDuplicatesPerHour,
    registry,
    nowMs: arrivals.nowMs,
  });

  const windowBytesMax = (options.windowMemoryMib ?? 80) * 1024 ** 2;
  const recent = createRecentReadings(progress.lastArrivedMs());
  const raw = createRawMemory({
    readers,
    commits: recent,
    windowMs: (levels[0] as Level).windowMs,
    bytesMax: windowBytesMax,
  });
  const log = createDuckdbMessageLog({
    connection: await connect(),
    transactions,
    registry,
    duplicates: duplicatesBySeries,
    clock: arrivals,
    onCommit: progress.committed,
    onCommitting: progress.setCommitting,
    onFailure: (error) => onFailure("commit failed", error),
    recent,
    quota,
    reserve,
  });
  const folding = createDuckdbFolder({
    connection: maintenance,
    transactions,
    levels,
    frontiersMs: stored.frontiersMs,
    onFrontiers: progress.setFrontiers,
    log,
    clock: arrivals,
  });
  const keeper = createDuckdbRetention({
    connection: maintenance,
    transactions,
    levels,
    retention,
    stored: stored.keptSince,
    nowMs: arrivals.nowMs,
    frontiersMs: folding.frontiersMs,
    onKeptSince: progress.setKeptSince,
  });
  const readings = createDuckdbReadingStore({
    readers,
    registry,
    duplicates: duplicatesBySeries,
    levels,
    changes: progress.changes,
    mergeFromSeries: options.mergeFromSeries,
    windowBytesMax,
    raw,
    recent,
    state: {
      horizon: progress.horizon,
      lastArrivedMs: progress.lastArrivedMs,
      seal: () => log.sealBefore(arrivals.nowMs() + 1),
      diskBytes: database.diskBytes,
      status: () => ({
        ...progress.counts(),
        versions: { duckdb: database.version },
        refused: options.refused?.(),
        problems: [reserve?.problem() ?? []].flat(),
      }),
    },
  });

  let maintaining: Promise<void> = Promise.resolve();
  const resources = opening.move();

  async function runMaintenance(): Promise<void> {
    if (reserve) {
      reserve.setReusable(await database.reusableBytes(maintenance));
      await reserve.check();
    }
    if (reserve?.mayFold() ?? true) await folding.foldClosedSegments();
    await keeper.run();
  }
  const close = closeOnce(async () => {
    progress.changes.close();
    await log.close();
    await maintaining.catch(() => {});
    // Closing would write the state in memory, which may be wrong, into the file.
    if (transactions.rejection()) await database.keepFile(maintenance);
    await resources.disposeAsync();
  });
  return {
    log,
    admitSeries: createSeriesAdmission(
      registry,
      options.seriesLimits ?? defaultSeriesLimits,
      options.seriesMade,
    ),
    readings,
    admitOlder: quota.admit,
    maintain() {
      if (close.isClosing) return Promise.resolve();
      // One after the other: folding and deleting share a connection.
      maintaining = maintaining.catch(() => {}).then(runMaintenance);
      return maintaining;
    },
    earliestAcceptedMs: progress.earliestAcceptedMs,
    close,
    [Symbol.asyncDispose]: close,
  };
}
