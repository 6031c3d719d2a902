import type { Appended, MessageBatch, MessageLog } from "@devicemesh/ingest";
import { createLoopShare } from "@devicemesh/kit/async/event-loop-share";
import { type RpcError, unavailable } from "@devicemesh/kit/rpc/rpc-error";
import type { SensorCatalog } from "@devicemesh/proto";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { DiskReserve, DuplicatesQuota } from "../admission.ts";
import { duckdbFailure, isOutOfMemory } from "../database/duckdb-failure.ts";
import { appendAll, createColumnWriter, type DuckdbTransactions } from "../database/duckdb-writes.ts";
import { exhausted } from "../database/exhausted.ts";
import type { SeriesRegistry } from "../series/series-registry.ts";
import { type ArrivalClock, createCommitInterval, type RecentReadings } from "./commit-clock.ts";
import { createFoundDuplicates, type DuckdbDuplicates, type FoundDuplicates } from "./duckdb-duplicates.ts";
import { createKnownIdentities, type KnownIdentitiesLimits } from "./duckdb-known-identities.ts";
import { findStored } from "./duckdb-stored-lookup.ts";
import {
  type AppendCounts,
  createAppendCounts,
  createReadingColumns,
  type SortedMessages,
  settleUnknown,
  sortBatch,
} from "./duplicate-filter.ts";

/** The result of one commit. */
export type CommitReport = {
  readonly arrivedMs: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly conflicts: number;
};

/** The message log of the embedded store: each commit is one transaction of many appends. */
export type DuckdbMessageLog = MessageLog & {
  /** Resolves when every later commit, and no unfinished one, has an append time of at least `ms`. */
  sealBefore(ms: number): Promise<void>;
  /** Commits pending appends and rejects later ones. Closing again has no effect. */
  close(): Promise<void>;
};

/** This number of waiting readings is committed without waiting for more. */
const enoughReadings = 131_072;

/** Maximum number of readings in one commit (unless one batch is larger), which bounds its memory. */
const commitReadingsMax = 262_144;

/**
 * The memory that a commit takes in the engine: a block of 256 KiB for each of the four columns, and 28 bytes of values
 * a row, both in the transaction and, while it commits, in the table.
 */
const commitFixedBytes = 2 * 4 * 256 * 1024;
const commitRowBytes = 2 * 28;

type DuplicateCounts = Pick<CommitReport, "duplicates" | "conflicts"> & {
  /** These by series. */
  readonly found: FoundDuplicates;
};

const noDuplicates: DuplicateCounts = { duplicates: 0, conflicts: 0, found: new Map() };

type Waiting = { batch: MessageBatch; resolve(appended: Appended): void; reject(error: unknown): void };

type Commit = { readonly report: CommitReport; readonly appended: readonly Appended[] };

/** Creates the log. It is the only writer of readings, series and duplicates on this database. */
export function createDuckdbMessageLog(dependencies: {
  readonly connection: DuckDBConnection;
  readonly transactions: DuckdbTransactions;
  readonly registry: SeriesRegistry;
  readonly duplicates: DuckdbDuplicates;
  readonly clock: ArrivalClock;
  readonly onCommit: (report: CommitReport) => void;
  /** Called with the append time of each commit that begins, and with undefined when it has ended. */
  readonly onCommitting?: ((arrivedMs: number | undefined) => void) | undefined;
  readonly onFailure: (error: unknown) => void;
  /** Receives the readings of each commit before any caller learns of it. */
  readonly recent?: Pick<RecentReadings, "committing" | "committed" | "failed"> | undefined;
  /** Counts the duplicates and conflicts of each device; not limited if left out. */
  readonly quota?: Pick<DuplicatesQuota, "add"> | undefined;
  /** Called before each commit: while the disk is full, nothing is accepted. Not guarded if left out. */
  readonly reserve?: Pick<DiskReserve, "check" | "rejection"> | undefined;
  /** The limits of the identities in memory; `defaultKnownIdentitiesLimits` by default. */
  readonly identities?: KnownIdentitiesLimits | undefined;
}): DuckdbMessageLog {
  const {
    connection,
    transactions,
    registry,
    duplicates,
    clock,
    onCommit,
    onFailure,
    quota,
    reserve,
    recent,
    onCommitting = () => {},
  } = dependencies;
  const writer = createColumnWriter();
  const known = createKnownIdentities(connection, dependencies.identities);
  const sorted: SortedMessages = {
    fresh: createReadingColumns(8192),
    possibleDuplicates: createReadingColumns(1024),
  };
  // The callers bound it: ingest limits the readings in flight over all its streams.
  let waiting: Waiting[] = [];
  let waitingReadings = 0;
  const interval = createCommitInterval({ monotonicMs: () => performance.now() });
  let running: Promise<void> | undefined;
  let committing: { readonly arrivedMs: number; readonly done: Promise<unknown> } | undefined;
  let closed = false;

  function takeGroup(): Waiting[] {
    let readings = 0;
    let count = 0;
    while (count < waiting.length && (count === 0 || readings < commitReadingsMax)) {
      readings += (waiting[count] as Waiting).batch.length;
      count++;
    }
    const group = waiting.slice(0, count);
    waiting = waiting.slice(count);
    waitingReadings -= readings;
    return group;
  }

  async function commitGroup(group: readonly Waiting[], arrivedMs: number): Promise<Commit> {
    sorted.fresh.length = 0;
    sorted.possibleDuplicates.length = 0;
    // Other work may run between batches.
    const share = group.length === 1 ? undefined : createLoopShare();
    const byAppend = createAppendCounts();
    for (const { batch } of group) {
      sortBatch(batch, registry, sorted);
      byAppend.endOfAppend(sorted.possibleDuplicates.length);
      await share?.();
    }
    const hasLate = sorted.possibleDuplicates.length > 0;
    const placeOf = hasLate || known.isActive ? await known.moveNew(sorted) : (row: number) => row;
    const seriesCount = registry.size;
    recent?.committing();
    const change = async (): Promise<DuplicateCounts> => {
      const counted =
        sorted.possibleDuplicates.length > 0
          ? await countDuplicates(arrivedMs, (row, isDuplicate) => byAppend.add(placeOf(row), isDuplicate))
          : noDuplicates;
      if (registry.saved < seriesCount) await insertSeries(connection, registry, seriesCount);
      await insertReadings(arrivedMs);
      if (counted.found.size > 0) {
        await connection.run(
          `UPDATE repeats SET duplicates = duplicates + ${counted.duplicates}, conflicts = conflicts + ${counted.conflicts}`,
        );
        await duplicates.write(connection, counted.found);
      }
      return counted;
    };
    const rows = sorted.fresh.length + sorted.possibleDuplicates.length;
    const bytes = commitFixedBytes + rows * commitRowBytes;
    const counted = await transactions.run(connection, change, bytes).catch((error: unknown) => {
      recent?.failed(arrivedMs);
      throw error;
    });
    recent?.committed(sorted.fresh, arrivedMs);
    if (counted.found.size > 0) {
      duplicates.committed(counted.found);
      quota?.add(counted.found);
    }
    registry.markSaved(seriesCount, sorted.fresh);
    const { duplicates: duplicateCount, conflicts } = counted;
    const report = { arrivedMs, stored: sorted.fresh.length, duplicates: duplicateCount, conflicts };
    return { report, appended: byAppend.counts };
  }

  async function countDuplicates(arrivedMs: number, count: AppendCounts["add"]): Promise<DuplicateCounts> {
    const { found, add } = createFoundDuplicates(arrivedMs);
    const stored = await findStored(connection, writer, sorted.possibleDuplicates);
    const counted = settleUnknown(sorted, stored, (series, timestampMs, values, row) => {
      add(series, timestampMs, values);
      count(row, values.stored === values.refused);
    });
    return { ...counted, found };
  }

  async function insertReadings(arrivedMs: number): Promise<void> {
    if (sorted.fresh.length === 0) return;
    await appendAll(connection, "readings", (appender) => writer.write(appender, sorted.fresh, arrivedMs));
  }

  function rejectionOf(error: unknown): RpcError {
    if (reserve && duckdbFailure(error) === "diskFull") return reserve.rejection(error);
    if (isOutOfMemory(error) || transactions.rejection()?.code === "RESOURCE_EXHAUSTED") {
      return outOfMemory(error);
    }
    const reason = duckdbFailure(error) === "readOnly" ? ": its file system has become read-only" : "";
    return unavailable({
      message: `the store could not commit${reason}; nothing of this unit is acknowledged, send it again`,
      retryDelayMs: 1000,
      cause: error,
    });
  }

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      if (waitingReadings < enoughReadings && !closed) await interval.untilDue();
      interval.began({ readings: waitingReadings, appends: waiting.length });
      const group = takeGroup();
      const rejected = transactions.rejection() ?? (await reserve?.check());
      if (rejected) {
        for (const { reject } of group) reject(rejected);
        continue;
      }
      try {
        const arrivedMs = clock.nowMs();
        onCommitting(arrivedMs);
        const commit = commitGroup(group, arrivedMs).catch((error: unknown) => {
          if (!isOutOfMemory(error) || transactions.rejection()) throw error;
          // Nothing of it is stored. While memory is short, a commit runs without reads.
          return commitGroup(group, arrivedMs);
        });
        committing = { arrivedMs, done: commit.catch(() => {}) };
        const { report, appended } = await commit.finally(() => {
          committing = undefined;
          onCommitting(undefined);
        });
        onCommit(report);
        for (const [at, { resolve }] of group.entries()) resolve(appended[at]!);
      } catch (error) {
        onFailure(error);
        const rejection = rejectionOf(error);
        for (const { reject } of group) reject(rejection);
      }
    }
    running = undefined;
  }

  return {
    append(batch) {
      if (closed) {
        return Promise.reject(unavailable({ message: "the store is closing", retryDelayMs: 1000 }));
      }
      if (batch.length === 0) return Promise.resolve({ duplicates: 0, conflicts: 0 });
      return new Promise((resolve, reject) => {
        waiting.push({ batch: withCodesOf(registry.catalog, batch), resolve, reject });
        waitingReadings += batch.length;
        if (waitingReadings >= enoughReadings) interval.hurry();
        // In the next iteration of the event loop, so that the frames of one iteration share a transaction.
        running ??= Promise.resolve().then(run);
      });
    },
    async sealBefore(ms) {
      clock.raise(ms);
      if (committing && committing.arrivedMs < ms) await committing.done;
    },
    async close() {
      closed = true;
      interval.hurry();
      await running;
    },
  };
}

/** The rejection of readings for whose commit the engine had no memory. */
function outOfMemory(cause: unknown): RpcError {
  return exhausted(
    "memory of the store",
    "the commit needs more memory than large queries leave; nothing of this unit is acknowledged, send it again",
    cause,
  );
}

/** The batch with the codes of the catalog. Ingest shares the catalog with the store: then it is the batch as it is. */
function withCodesOf(catalog: SensorCatalog, batch: MessageBatch): MessageBatch {
  const { sensors } = catalog;
  if (batch.sensors === sensors) return batch;
  const codes = batch.sensors.map(
    ({ sensor, unit }) => catalog.codeOf(sensor) ?? catalog.addStored(sensor, unit),
  );
  return { ...batch, sensors, sensorCodes: batch.sensorCodes.map((code) => codes[code] ?? 0) };
}

/** Number of series in one piece: it takes a few milliseconds of the event loop. */
const seriesPerPiece = 4096;

/** Inserts the series with codes below `count` that are not stored yet. */
async function insertSeries(
  connection: DuckDBConnection,
  registry: SeriesRegistry,
  count: number,
): Promise<void> {
  const share = createLoopShare();
  for (let first = registry.saved; first < count; first += seriesPerPiece) {
    await appendAll(connection, "series", (appender) => {
      for (let code = first; code < Math.min(first + seriesPerPiece, count); code++) {
        const { deviceId, sensor } = registry.get(code);
        appender.appendInteger(code);
        appender.appendVarchar(deviceId);
        appender.appendVarchar(sensor);
        appender.endRow();
      }
    });
    await share();
  }
}
