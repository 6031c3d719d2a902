import { alignDown, type Level } from "@devicemesh/proto";
import { planRead, type Scan } from "@devicemesh/query";
import {
  figuresOf,
  type ModelFigures,
  type ModelPartial,
  type ModelReading,
  merged,
  modelSizes,
  nothing,
} from "./engines-model.ts";
import type { LeftOut } from "./mesh-model.ts";

/** What the database holds of one device. */
export type ModelStore = {
  readonly readings: readonly ModelReading[];
  /** Partials by level, the finest first. */
  readonly levels: readonly (readonly ModelPartial[])[];
  /** Windows with repeats, by the start of the window. */
  readonly repeats: ReadonlyMap<number, ModelRepeats>;
};

export type ModelRepeats = {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly repair?: { readonly throughMs: number; readonly figures: ModelFigures } | undefined;
};

/** What was asked, and the horizon in hand, which may be old. */
export type ModelQuestion = {
  readonly sinceMs: number;
  readonly toMs: number;
  readonly frontiersMs: readonly number[];
};

/** How an answer came about. */
export type ModelAnswer = ModelFigures & {
  readonly isFromCoarse: boolean;
  readonly isFromDirty: boolean;
  readonly isFromRepaired: boolean;
};

export const modelLevels: readonly Level[] = [
  { windowMs: modelSizes.windowMs, segmentMs: modelSizes.segmentMs },
  { windowMs: modelSizes.coarseMs, segmentMs: modelSizes.coarseMs },
];

/** Answers by the plan of query, from partials, repairs and raw readings. */
export function answerOf(
  store: ModelStore,
  question: ModelQuestion,
  leftOut: LeftOut | undefined,
): ModelAnswer {
  const { sinceMs, toMs, frontiersMs } = question;
  const [frontierMs = 0] = frontiersMs;
  const { plan } = planRead({
    sinceMs,
    toMs,
    levels: modelLevels,
    horizon: {
      completeThroughMs: frontierMs,
      frontiersMs,
      levelsKeptSinceMs: modelLevels.map(() => Number.NEGATIVE_INFINITY),
      rawKeptSinceMs: Number.NEGATIVE_INFINITY,
    },
  });
  let figures = nothing;
  let [isFromCoarse, isFromDirty, isFromRepaired] = [false, false, false];
  const addPartials = (level: number, scan: Scan): void => {
    for (const partial of store.levels[level] ?? []) {
      if (isIn(scan, partial.windowMs, partial.segmentMs)) figures = merged(figures, partial);
    }
  };
  const addRaw = (scan: Scan): void => {
    for (const reading of store.readings) {
      if (isIn(scan, reading.timestampMs, reading.arrivedMs))
        figures = merged(figures, figuresOf(reading.value));
    }
  };
  const addWindow = (scan: Scan, { firstMs, lastMs, repair }: ModelRepeats): void => {
    const isUsable = repair !== undefined && (repair.throughMs <= frontierMs || leftOut === "newrepair");
    const isDirty = isUsable ? lastMs >= repair.throughMs : firstMs < frontierMs;
    if (isDirty && leftOut !== "nodirty") {
      isFromDirty = true;
      addRaw(scan);
    } else if (isUsable) {
      isFromRepaired = true;
      if (scan.arrivedSinceMs === Number.NEGATIVE_INFINITY) figures = merged(figures, repair.figures);
      addPartials(0, { ...scan, arrivedSinceMs: Math.max(scan.arrivedSinceMs, repair.throughMs) });
    } else addPartials(0, scan);
  };

  for (const scan of plan.raw) addRaw(scan);
  const repeated = (scan: Scan): number[] =>
    [...store.repeats.keys()].filter((windowMs) => windowMs >= scan.sinceMs && windowMs < scan.toMs);
  const fine = [...(plan.levels[0] ?? [])];
  for (const scan of plan.levels[1] ?? []) {
    isFromCoarse = true;
    const broken =
      leftOut === "coarsedirty" ? [] : repeated(scan).map((ms) => alignDown(ms, modelSizes.coarseMs));
    for (const part of without(scan, broken, modelSizes.coarseMs)) addPartials(1, part);
    for (const coarseMs of new Set(broken)) {
      fine.push({ ...scan, sinceMs: coarseMs, toMs: coarseMs + modelSizes.coarseMs });
    }
  }
  for (const scan of fine) {
    const windows = repeated(scan);
    for (const part of without(scan, windows, modelSizes.windowMs)) addPartials(0, part);
    for (const windowMs of windows) {
      const part = { ...scan, sinceMs: windowMs, toMs: windowMs + modelSizes.windowMs };
      addWindow(part, store.repeats.get(windowMs) as ModelRepeats);
    }
  }
  return { ...figures, isFromCoarse, isFromDirty, isFromRepaired };
}

/** The scan less the windows that start at these moments. */
function without(scan: Scan, startsMs: readonly number[], windowMs: number): Scan[] {
  const parts: Scan[] = [];
  let { sinceMs } = scan;
  for (const startMs of [...startsMs].sort((a, b) => a - b)) {
    if (startMs > sinceMs) parts.push({ ...scan, sinceMs, toMs: startMs });
    sinceMs = Math.max(sinceMs, startMs + windowMs);
  }
  if (sinceMs < scan.toMs) parts.push({ ...scan, sinceMs });
  return parts;
}

function isIn(scan: Scan, timestampMs: number, arrivedMs: number): boolean {
  return (
    timestampMs >= scan.sinceMs &&
    timestampMs < scan.toMs &&
    arrivedMs >= scan.arrivedSinceMs &&
    arrivedMs < scan.arrivedToMs
  );
}
