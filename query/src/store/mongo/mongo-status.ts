import {
  type AggregatorStatusDocument,
  collections,
  type DeadLetterKind,
  deadLetterKinds,
  type OperatorStatusDocument,
  partialsCollection,
} from "@devicemesh/pipeline";
import type { Level } from "@devicemesh/proto";
import type { Db, Document } from "mongodb";
import type { ConnectorReport, StoreParts, StoreStatus, WindowJobReport } from "../store-status.ts";
import { between } from "./mongo-conditions.ts";
import type { MeshHorizon } from "./mongo-horizon.ts";
import { allEnded, type LargeReadOptions } from "./mongo-large-reads.ts";
import { findSeries } from "./mongo-series.ts";

/** The time over which the rate of stored readings is measured, in ms. */
const rateMs = 10_000;

/**
 * Reads the progress of the store and its components' reports. Counts of whole collections are the database's
 * estimates.
 */
export async function readMongoStatus(
  request: {
    readonly db: Db;
    /** Ms since 1970. */
    readonly clock: () => number;
    readonly horizon: MeshHorizon;
    readonly levels: readonly Level[];
  },
  options: LargeReadOptions,
): Promise<StoreStatus> {
  const { db, clock, horizon, levels } = request;
  const { logEndMs, publishedMs, ...reached } = horizon;
  const frontierMs = reached.frontiersMs[0] as number;
  const everything = { filter: { deviceIds: [], sensors: [] }, limit: 1 };
  const estimated = (collection: string): Promise<number> =>
    db.collection(collection).estimatedDocumentCount({ ...options });
  const [
    storedReadings,
    partialCounts,
    series,
    recent,
    windowCounts,
    deadLetters,
    disk,
    build,
    operator,
    aggregator,
  ] = await allEnded([
    estimated(collections.messages),
    allEnded(levels.map(({ windowMs }, level) => estimated(partialsCollection(level, windowMs)))),
    findSeries(db, { ...everything, frontierMs }, options),
    countFound(db, options, recentPipeline(clock() - rateMs)),
    countDuplicateWindows(db, frontierMs, options),
    allEnded(
      deadLetterKinds.map(async (kind) => ({
        kind,
        count: await countFound(db, options, deadLettersPipeline(kind)),
      })),
    ),
    db.command({ dbStats: 1 }, { ...options }),
    db.command({ buildInfo: 1 }, { ...options }),
    db.collection<OperatorStatusDocument>(collections.status).findOne({ _id: "operator" }, options),
    db.collection<AggregatorStatusDocument>(collections.status).findOne({ _id: "aggregator" }, options),
  ]);
  const countOf = (wanted: DeadLetterKind): number =>
    deadLetters.find(({ kind }) => kind === wanted)?.count ?? 0;
  return {
    logEndMs,
    horizon: reached,
    partialCounts,
    storedReadings,
    series: series.total,
    duplicates: countOf("duplicate"),
    conflicts: countOf("conflict"),
    storedPerSecond: recent / (rateMs / 1000),
    diskBytes: Number(disk.storageSize ?? 0) + Number(disk.indexSize ?? 0),
    versions: versionsOf(build, aggregator),
    refused: undefined,
    parts: {
      reports: [
        { name: "operator", reportedMs: operator?.updated.getTime() },
        // The frontier is the aggregator's too, and written more often.
        { name: "aggregator", reportedMs: latest(aggregator?.updated.getTime(), publishedMs) },
      ],
      deadLetters,
      connectors: operator ? operator.connectors.map(connectorReport) : [],
      windowJob: aggregator ? windowJobReport(aggregator) : undefined,
      ...windowCounts,
      problems: [...(operator?.problems ?? []), ...(aggregator?.problems ?? [])],
    },
  };
}

type FindPipeline = { readonly collection: string; readonly stages: readonly Document[] };

/** Returns the pipeline of readings stored since a time. Pure, like all pipelines here. */
export function recentPipeline(sinceMs: number): FindPipeline {
  return {
    collection: collections.messages,
    stages: [{ $match: between("arrived", sinceMs, Number.POSITIVE_INFINITY) }],
  };
}

/** Returns the pipeline of dead letters of a kind. */
export function deadLettersPipeline(kind: DeadLetterKind): FindPipeline {
  return { collection: collections.deadLetters, stages: [{ $match: { kind } }] };
}

/** Returns the pipeline of windows whose repair serves at the frontier. */
export function repairedPipeline(frontierMs: number): FindPipeline {
  return {
    collection: collections.duplicateWindows,
    stages: [
      // All have a last duplicate; the condition lets databases use an index that does not support partial indexes.
      { $match: { last_repeat: { $gte: new Date(0) } } },
      { $match: { "repair.through": { $gt: new Date(0), $lte: new Date(frontierMs) } } },
      { $match: { $expr: { $lt: ["$last_repeat", "$repair.through"] } } },
    ],
  };
}

/** Returns the pipeline of windows whose duplicates all arrived after the frontier: they are still clean. */
export function freshPipeline(frontierMs: number): FindPipeline {
  return {
    collection: collections.duplicateWindows,
    stages: [
      { $match: { last_repeat: { $gte: new Date(frontierMs) } } },
      { $match: { first_repeat: { $gte: new Date(frontierMs) } } },
    ],
  };
}

async function countDuplicateWindows(
  db: Db,
  frontierMs: number,
  options: LargeReadOptions,
): Promise<Pick<StoreParts, "dirtyWindows" | "repairedWindows">> {
  const [all, repaired, fresh] = await allEnded([
    db.collection(collections.duplicateWindows).estimatedDocumentCount({ ...options }),
    countFound(db, options, repairedPipeline(frontierMs)),
    countFound(db, options, freshPipeline(frontierMs)),
  ]);
  return { dirtyWindows: Math.max(all - repaired - fresh, 0), repairedWindows: repaired };
}

async function countFound(
  db: Db,
  options: LargeReadOptions,
  { collection, stages }: FindPipeline,
): Promise<number> {
  const [row] = await db
    .collection(collection)
    .aggregate<{ readonly count: number }>([...stages, { $count: "count" }], {
      ...options,
    })
    .toArray();
  return Number(row?.count ?? 0);
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

function versionsOf(
  build: Document,
  aggregator: AggregatorStatusDocument | null,
): Readonly<Record<string, string>> {
  const standIn = build.secantusVersion;
  return {
    mongodb: standIn === undefined ? `${build.version}` : `${build.version} (secantusdb ${standIn})`,
    ...(aggregator?.spark_version && { spark: aggregator.spark_version }),
  };
}

function connectorReport(connector: OperatorStatusDocument["connectors"][number]): ConnectorReport {
  const { name, state, tasks, lag, restarts } = connector;
  return {
    name,
    state,
    tasks: tasks.map((task) => ({ id: Number(task.id), state: task.state, error: task.error ?? "" })),
    lag: Number(lag),
    restarts: Number(restarts),
  };
}

function windowJobReport(document: AggregatorStatusDocument): WindowJobReport {
  return {
    state: document.state,
    checkpoint: document.checkpoint,
    batch: document.batch === null ? undefined : Number(document.batch),
    watermarkMs: document.watermark?.getTime(),
    inputRowsPerSecond: Number(document.input_rows_per_second),
    processedRowsPerSecond: Number(document.processed_rows_per_second),
    batchMs: Number(document.batch_ms),
    stateRows: Number(document.state_rows),
    rowsDropped: Number(document.rows_dropped),
    lag: Number(document.lag),
    restarts: Number(document.restarts),
    lastError: document.last_error ?? "",
    observedMs: document.updated.getTime(),
  };
}
