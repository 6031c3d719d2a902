import { collections, partialsCollection } from "@devicemesh/pipeline";
import type { Level } from "@devicemesh/proto";
import type { Db, Document } from "mongodb";
import { type BucketGrid, fixedGrid } from "../../calendar/bucket-grid.ts";
import { createGatheredPartials } from "../gathered-partials.ts";
import type {
  PartialsRead,
  ReadPlan,
  RepairScan,
  Scan,
  SeriesFilter,
  SeriesPartial,
  SeriesScan,
  SeriesSpan,
} from "../reading-store.ts";
import {
  between,
  commonCondition,
  partialFields,
  readingFields,
  type ScanFields,
  scanStages,
  seriesScanStages,
  spanConditions,
} from "./mongo-conditions.ts";
import { allEnded, type LargeReadOptions } from "./mongo-large-reads.ts";
import { groupPartials, groupReadings, type PartialRow, partialOfRow } from "./mongo-partials.ts";
import { neighbours, scanPieces } from "./scan-pieces.ts";

/** A pipeline of a plan, and the kind of its rows. */
export type PlannedPipeline = {
  readonly collection: string;
  readonly stages: readonly Document[];
  readonly kind: "raw" | "partials" | "repairs";
};

/** Number of rows in one response of the database; most reads need one. */
const batchSize = 10_000;

/**
 * Returns the pipelines of a plan: one for each scan, and one for each collection for the different reads of series
 * with duplicates; several if these are many. Pure.
 */
export function planPipelines(request: {
  readonly plan: ReadPlan;
  readonly filter: SeriesFilter;
  readonly buckets: BucketGrid | undefined;
  readonly levels: readonly Level[];
}): PlannedPipeline[] {
  const { plan, filter, buckets, levels } = request;
  const { duplicates } = plan;
  function source(options: {
    readonly collection: string;
    readonly kind: PlannedPipeline["kind"];
    readonly fields: ScanFields;
    readonly group: readonly Document[];
    readonly scans: readonly Scan[];
    readonly except: readonly SeriesSpan[] | undefined;
    readonly own: readonly SeriesScan[] | undefined;
  }): PlannedPipeline[] {
    const { collection, kind, fields, group, scans, except = [], own = [] } = options;
    const found = [
      ...scans
        .flatMap((scan) => scanPieces(scan, except))
        .map((scan) => scanStages({ scan, fields, filter, except })),
      ...neighbours(own).map((some) => seriesScanStages(some, fields)),
    ];
    return found.map((stages) => ({ collection, kind, stages: [...stages, ...group] }));
  }
  return [
    ...source({
      collection: collections.messages,
      kind: "raw",
      fields: readingFields,
      group: groupReadings(buckets),
      scans: plan.raw,
      except: duplicates?.except.raw,
      own: duplicates?.raw,
    }),
    ...levels.flatMap(({ windowMs }, level) =>
      source({
        collection: partialsCollection(level, windowMs),
        kind: "partials",
        fields: partialFields,
        group: groupPartials({ buckets, windowMs }),
        scans: plan.levels[level] ?? [],
        except: duplicates?.except.levels[level],
        own: duplicates?.levels[level],
      }),
    ),
    ...neighbours(duplicates?.repairs ?? []).map((some) =>
      repairsPipeline(some, { buckets, windowMs: (levels[0] as Level).windowMs }),
    ),
  ];
}

/** Counts the windows of the repairs (`windows`), and groups the non-empty ones. */
function repairsPipeline(
  repairs: readonly RepairScan[],
  { buckets, windowMs }: { readonly buckets: BucketGrid | undefined; readonly windowMs: number },
): PlannedPipeline {
  const conditions = repairs.flatMap((scan) =>
    spanConditions(scan, "window_start").map((condition) => ({
      ...condition,
      "repair.through": new Date(scan.throughMs),
    })),
  );
  return {
    collection: collections.duplicateWindows,
    kind: "repairs",
    stages: [
      { $match: commonCondition(repairs, "window_start") },
      { $match: { $or: conditions } },
      ...groupPartials({
        buckets,
        windowMs,
        at: "repair.",
        // Empty repairs have no figures, which would sort before those of the others.
        keys: { empty: { $eq: ["$repair.count", 0] } },
        sums: { windows: { $sum: 1 } },
      }),
    ],
  };
}

type Row = PartialRow & { readonly windows?: number };

/**
 * Reads a plan's pipelines, all at once, and merges their rows as they arrive. `isStale` if a repair in the plan no
 * longer exists. It stops at more than `partialsMax` partials.
 */
export async function readPlan(
  request: {
    readonly db: Db;
    readonly plan: ReadPlan;
    /** Partials that are known without a read; none by default. */
    readonly known?: readonly SeriesPartial[];
    readonly filter: SeriesFilter;
    readonly buckets: BucketGrid | undefined;
    readonly levels: readonly Level[];
    readonly mergeDevices?: boolean | undefined;
    readonly partialsMax?: number | undefined;
  },
  options: LargeReadOptions,
): Promise<Pick<PartialsRead, "partials" | "tooMany" | "isStale">> {
  const { db, plan, levels, known = [] } = request;
  const gathered = createGatheredPartials(request);
  for (const partial of known) gathered.add(partial);
  let repairedWindows = 0;

  async function read({ collection, stages, kind }: PlannedPipeline): Promise<void> {
    const rows = db
      .collection(collection)
      .aggregate<Row>([...stages], { ...options, batchSize, allowDiskUse: true });
    for await (const row of rows) {
      if (kind === "repairs") repairedWindows += Number(row.windows);
      if (Number(row.count) > 0) gathered.add(partialOfRow(row, { isRaw: kind === "raw" }));
      if (gathered.isTooMany) return;
    }
  }

  await allEnded(planPipelines(request).map(read));
  if (gathered.isTooMany) return { partials: [], tooMany: gathered.size, isStale: false };
  const { windowMs } = levels[0] as Level;
  return {
    partials: gathered.partials(),
    isStale: repairedWindows !== windowsOf(plan.duplicates?.repairs ?? [], windowMs),
  };
}

/**
 * Reads the readings that arrived within a segment, as one partial for each series and window, and passes these to
 * `add`, until it returns false.
 */
export async function readSegment(
  db: Db,
  {
    segment: { sinceMs, toMs },
    windowMs,
    add,
  }: {
    readonly segment: { readonly sinceMs: number; readonly toMs: number };
    readonly windowMs: number;
    readonly add: (partial: SeriesPartial) => boolean;
  },
  options: LargeReadOptions,
): Promise<void> {
  const stages = [{ $match: between("arrived", sinceMs, toMs) }, ...groupReadings(fixedGrid(windowMs))];
  const rows = db
    .collection(collections.messages)
    .aggregate<PartialRow>(stages, { ...options, batchSize, allowDiskUse: true });
  for await (const row of rows) if (!add(partialOfRow(row, { isRaw: true }))) return;
}

function windowsOf(scans: readonly RepairScan[], windowMs: number): number {
  return scans.reduce(
    (sum, { series, sinceMs, toMs }) => sum + (series.length * (toMs - sinceMs)) / windowMs,
    0,
  );
}
