import type { KeptSince } from "@devicemesh/proto";
import {
  type DuplicateWindow,
  duplicateWindowsNeeded,
  isCoarsePure,
  isInScan,
  type PlannedRead,
  planRead,
  type Scan,
  type SeriesSpan,
  type Span,
} from "@devicemesh/query";
import {
  figuresOf,
  type ModelFigures,
  type ModelPartial,
  type ModelReading,
  merged,
  modelSizes,
  nothing,
} from "./engines-model.ts";
import type { LeftOut } from "./model-rules.ts";
import { modelLevels as levels } from "./retention-model.ts";

/** The data of one device in the database. */
export type ModelStore = {
  readonly readings: readonly ModelReading[];
  /** Partials by level, the finest first. */
  readonly levels: readonly (readonly ModelPartial[])[];
  /** Windows with duplicates, by the start of the window. */
  readonly duplicates: ReadonlyMap<number, ModelDuplicateWindow>;
};

export type ModelDuplicateWindow = {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly repair?: { readonly throughMs: number; readonly figures: ModelFigures } | undefined;
};

/** The query, and the horizon that it uses, which may be old. */
export type ModelQuestion = {
  readonly sinceMs: number;
  readonly toMs: number;
  /** The frontiers of the levels, the finest first. */
  readonly frontiersMs: readonly number[];
  /** The start of purity of the coarse level; undefined if it never is pure. */
  readonly coarsePureSinceMs: number | undefined;
  readonly marks: KeptSince;
};

/** The sources of an answer. */
export type ModelAnswer = ModelFigures & {
  readonly isFromCoarse: boolean;
  readonly isFromDirty: boolean;
  readonly isFromRepaired: boolean;
  /** Spans that the figures leave out. */
  readonly notCovered: readonly Span[];
};

/** Answers with query's own plan, from partials, repairs and raw readings. */
export function answerOf(
  store: ModelStore,
  question: ModelQuestion,
  leftOut: LeftOut | undefined,
): ModelAnswer {
  const { plan, notCovered } = planOf(store, question, leftOut);
  const { duplicates } = plan;
  let figures = nothing;

  function addPartials(level: number, scans: readonly Scan[], except: readonly SeriesSpan[]): void {
    for (const partial of store.levels[level] ?? []) {
      const { windowMs, segmentMs } = partial;
      if (except.some((span) => windowMs >= span.sinceMs && windowMs < span.toMs)) continue;
      for (const scan of scans) if (isInScan(scan, windowMs, segmentMs)) figures = merged(figures, partial);
    }
  }
  function addReadings(scans: readonly Scan[], except: readonly SeriesSpan[]): void {
    for (const { timestampMs, arrivedMs, value } of store.readings) {
      if (except.some((span) => timestampMs >= span.sinceMs && timestampMs < span.toMs)) continue;
      for (const scan of scans) {
        if (isInScan(scan, timestampMs, arrivedMs)) figures = merged(figures, figuresOf(value));
      }
    }
  }

  for (const level of levels.keys()) {
    addPartials(level, plan.levels[level] ?? [], duplicates?.except.levels[level] ?? []);
    addPartials(level, duplicates?.levels[level] ?? [], []);
  }
  addReadings(plan.raw, duplicates?.except.raw ?? []);
  addReadings(duplicates?.raw ?? [], []);
  for (const { sinceMs, toMs } of duplicates?.repairs ?? []) {
    for (let windowMs = sinceMs; windowMs < toMs; windowMs += modelSizes.windowMs) {
      const repair = store.duplicates.get(windowMs)?.repair;
      if (!repair) throw new Error("the plan names a repair that was not made");
      figures = merged(figures, repair.figures);
    }
  }
  return {
    ...figures,
    isFromCoarse: (plan.levels[1] ?? []).length > 0,
    isFromDirty: (duplicates?.raw ?? []).length > 0,
    isFromRepaired: (duplicates?.repairs ?? []).length > 0,
    notCovered,
  };
}

function planOf(
  { duplicates }: ModelStore,
  { sinceMs, toMs, frontiersMs, coarsePureSinceMs, marks }: ModelQuestion,
  leftOut: LeftOut | undefined,
): PlannedRead {
  const [frontierMs = 0] = frontiersMs;
  const request = {
    sinceMs,
    toMs,
    levels,
    horizon: {
      completeThroughMs: frontierMs,
      frontiersMs,
      coarsePureSinceMs,
      levelsKeptSinceMs: marks.levelsMs,
      rawKeptSinceMs: marks.rawMs,
    },
  };
  const marked = [...duplicates]
    .filter(([windowMs]) => windowMs >= sinceMs - modelSizes.windowMs && windowMs < toMs)
    .map(
      ([windowMs, { firstMs, lastMs, repair }]): DuplicateWindow => ({
        deviceId: "device",
        sensor: "temperature",
        windowMs,
        firstDuplicateMs: firstMs,
        lastDuplicateMs: lastMs,
        repairThroughMs: repair?.throughMs,
      }),
    );
  const coarse = leftOut === "coarsedirty" ? (planRead(request).plan.levels[1] ?? []) : [];
  const windows = withRuleLeftOut(marked, { leftOut, frontierMs, coarse });
  // In the way a store reads them if the coarse level is pure.
  const needed = duplicateWindowsNeeded(request);
  const known = windows.filter(({ windowMs, firstDuplicateMs, lastDuplicateMs }) =>
    needed.some(
      (part) =>
        windowMs >= part.sinceMs &&
        windowMs < part.toMs &&
        (!part.relevant ||
          lastDuplicateMs >= part.relevant.sinceMs ||
          firstDuplicateMs < part.relevant.beforeMs),
    ),
  );
  const read = { windows: known };
  const isAll = !isCoarsePure(request.horizon, read);
  return planRead({ ...request, duplicates: isAll ? { windows } : read });
}

/** The planner's input, without the knowledge that the tested rule would use; complete if no rule is left out. */
function withRuleLeftOut(
  marked: readonly DuplicateWindow[],
  options: {
    readonly leftOut: LeftOut | undefined;
    readonly frontierMs: number;
    readonly coarse: readonly Scan[];
  },
): readonly DuplicateWindow[] {
  const { leftOut, frontierMs, coarse } = options;
  const isRepaired = ({ repairThroughMs }: DuplicateWindow): boolean =>
    repairThroughMs !== undefined && repairThroughMs <= frontierMs;
  switch (leftOut) {
    case "nodirty":
      return marked
        .filter(isRepaired)
        .map((window) => ({ ...window, lastDuplicateMs: (window.repairThroughMs as number) - 1 }));
    case "newrepair":
      return marked.map(({ repairThroughMs, lastDuplicateMs, ...window }) =>
        repairThroughMs === undefined || repairThroughMs <= frontierMs || lastDuplicateMs >= repairThroughMs
          ? { ...window, lastDuplicateMs, repairThroughMs }
          : { ...window, lastDuplicateMs: window.firstDuplicateMs, repairThroughMs: frontierMs },
      );
    case "coarsedirty":
      return marked.filter(
        ({ windowMs }) => !coarse.some((scan) => windowMs >= scan.sinceMs && windowMs < scan.toMs),
      );
    default:
      return marked;
  }
}
