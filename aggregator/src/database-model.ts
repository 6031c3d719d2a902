import { alignDown } from "@devicemesh/proto";
import type { ModelRepeats, ModelStore } from "./answer-model.ts";
import {
  figuresOf,
  type ModelFigures,
  type ModelPartial,
  type ModelReading,
  merged,
  modelSizes,
  nothing,
} from "./engines-model.ts";
import { nextFold } from "./level-fold.ts";
import { chooseRepairs } from "./repair-choice.ts";

/** A message that the sink refused, and its place in the log. */
export type ModelDeadLetter = Omit<ModelReading, "offset"> & { readonly offset: number };

/** The database, with what the aggregator does in it: folds of the coarse level and repairs. */
export function createDatabaseModel(devices: number) {
  // By device, as each question is about one.
  const raw = Array.from({ length: devices }, () => new Map<number, ModelReading>());
  const repeats = Array.from({ length: devices }, () => new Map<number, ModelRepeats>());
  const fine = new Map<string, ModelPartial>();
  const coarse = new Map<string, ModelPartial>();
  let coarseFrontierMs = 0;

  function storedOf(device: number): Map<number, ModelReading> {
    return raw[device] as Map<number, ModelReading>;
  }

  /** What the readings of a device in [sinceMs, toMs) that arrived before `arrivedToMs` add up to. */
  function bruteForce(options: {
    readonly device: number;
    readonly sinceMs: number;
    readonly toMs: number;
    readonly arrivedToMs: number;
  }): ModelFigures {
    let figures = nothing;
    for (const { timestampMs, arrivedMs, value } of storedOf(options.device).values()) {
      if (timestampMs < options.sinceMs || timestampMs >= options.toMs) continue;
      if (arrivedMs < options.arrivedToMs) figures = merged(figures, figuresOf(value));
    }
    return figures;
  }

  function foldSegment(below: readonly ModelPartial[], sinceMs: number, toMs: number): void {
    const groups = new Map<string, ModelPartial>();
    for (const partial of below) {
      if (partial.segmentMs < sinceMs || partial.segmentMs >= toMs) continue;
      const windowMs = alignDown(partial.windowMs, modelSizes.coarseMs);
      const key = `${partial.device}|${windowMs}|${sinceMs}`;
      const { device } = partial;
      groups.set(key, { ...merged(groups.get(key), partial), device, windowMs, segmentMs: sinceMs });
    }
    for (const [key, partial] of groups) coarse.set(key, partial);
  }

  return {
    bruteForce,
    /** Inserts, first wins; false if it is refused. */
    insert(reading: ModelReading): boolean {
      const stored = storedOf(reading.device);
      if (stored.has(reading.timestampMs)) return false;
      stored.set(reading.timestampMs, reading);
      return true;
    },
    /** Marks the window of a dead letter, unless it is the stored record itself, delivered again. */
    mark(letter: ModelDeadLetter, options: { readonly isRedeliveryMarked: boolean }): void {
      const isRedelivery = storedOf(letter.device).get(letter.timestampMs)?.offset === letter.offset;
      if (isRedelivery && !options.isRedeliveryMarked) return;
      const windowMs = alignDown(letter.timestampMs, modelSizes.windowMs);
      const known = repeats[letter.device]?.get(windowMs);
      repeats[letter.device]?.set(windowMs, {
        ...known,
        firstMs: Math.min(known?.firstMs ?? letter.arrivedMs, letter.arrivedMs),
        lastMs: Math.max(known?.lastMs ?? letter.arrivedMs, letter.arrivedMs),
      });
    },
    /** Stores a partial in place of the one with the same key. */
    replace(partial: ModelPartial): void {
      fine.set(`${partial.device}|${partial.windowMs}|${partial.segmentMs}`, partial);
    },
    /** Folds the next segment of the coarse level, and publishes its frontier unless there is a crash before. */
    foldOnce(frontierMs: number, options: { readonly hasCrash: boolean }): void {
      if (alignDown(frontierMs, modelSizes.coarseMs) <= coarseFrontierMs) return;
      const below = [...fine.values()].filter(({ segmentMs }) => segmentMs >= coarseFrontierMs);
      const fold = nextFold({
        segmentMs: modelSizes.coarseMs,
        frontierMs: coarseFrontierMs,
        belowFrontierMs: frontierMs,
        firstBelowMs: below.length === 0 ? undefined : Math.min(...below.map(({ segmentMs }) => segmentMs)),
      });
      if (fold.kind === "none") return;
      if (fold.kind === "fold") foldSegment(below, fold.sinceMs, fold.toMs);
      if (!options.hasCrash) coarseFrontierMs = fold.toMs;
    },
    /** Repairs some windows of a device at the frontier. */
    repair(device: number, options: { readonly frontierMs: number; readonly windowsMax: number }): void {
      const known = repeats[device] as Map<number, ModelRepeats>;
      const { frontierMs, windowsMax } = options;
      const spans = chooseRepairs(
        [...known].map(([windowMs, { firstMs, lastMs, repair }]) => ({
          deviceId: String(device),
          sensor: "temperature",
          windowMs,
          firstRepeatMs: firstMs,
          lastRepeatMs: lastMs,
          repairedThroughMs: repair?.throughMs,
        })),
        {
          frontierMs,
          windowsMax,
          rawKeptSinceMs: 0,
          windowMs: modelSizes.windowMs,
          spanWindowsMax: 3,
        },
      );
      for (const { sinceMs, toMs } of spans) {
        for (let windowMs = sinceMs; windowMs < toMs; windowMs += modelSizes.windowMs) {
          const window = { sinceMs: windowMs, toMs: windowMs + modelSizes.windowMs };
          const figures = bruteForce({ device, ...window, arrivedToMs: frontierMs });
          const marked = known.get(windowMs) as ModelRepeats;
          known.set(windowMs, { ...marked, repair: { throughMs: frontierMs, figures } });
        }
      }
    },
    storeOf: (device: number): ModelStore => ({
      readings: [...storedOf(device).values()],
      levels: [fine, coarse].map((level) =>
        [...level.values()].filter((partial) => partial.device === device),
      ),
      repeats: repeats[device] as ReadonlyMap<number, ModelRepeats>,
    }),
    get coarseFrontierMs() {
      return coarseFrontierMs;
    },
  };
}
