import { alignDown } from "@devicemesh/proto";
import type { Span } from "@devicemesh/query";
import { nextFold } from "../../src/levels/level-fold.ts";
import { chooseRepairs } from "../../src/repairs/repair-choice.ts";
import type { ModelDuplicateWindow, ModelStore } from "./answer-model.ts";
import {
  figuresOf,
  type ModelFigures,
  type ModelPartial,
  type ModelReading,
  merged,
  modelSizes,
  nothing,
} from "./engines-model.ts";
import type { ModelDeletion } from "./retention-model.ts";

/** A message that the sink rejected, and its position in the log. */
export type ModelDeadLetter = Omit<ModelReading, "offset"> & { readonly offset: number };

/** The database, and the aggregator's work in it: folds of the coarse level and repairs. */
export function createDatabaseModel(devices: number) {
  // By device, because each query concerns one.
  const raw = Array.from({ length: devices }, () => new Map<number, ModelReading>());
  // The first reading of each identity that was ever stored, also after it was deleted.
  const ever = Array.from({ length: devices }, () => new Map<number, ModelReading>());
  const duplicates = Array.from({ length: devices }, () => new Map<number, ModelDuplicateWindow>());
  const fine = new Map<string, ModelPartial>();
  const coarse = new Map<string, ModelPartial>();
  let coarseFrontierMs = 0;
  let coarsePureSinceMs: number | undefined;

  function storedOf(device: number): Map<number, ModelReading> {
    return raw[device] as Map<number, ModelReading>;
  }

  /** Adds up these readings. */
  function sumOf(
    readings: Iterable<ModelReading>,
    isWanted: (reading: ModelReading) => boolean,
  ): ModelFigures {
    let figures = nothing;
    for (const reading of readings) {
      if (isWanted(reading)) figures = merged(figures, figuresOf(reading.value));
    }
    return figures;
  }

  /** Returns the devices with duplicates that arrived in a segment. */
  function duplicatesIn(sinceMs: number, toMs: number): readonly number[] {
    const isIn = ({ firstMs, lastMs }: ModelDuplicateWindow): boolean => lastMs >= sinceMs && firstMs < toMs;
    return [...duplicates.keys()].filter((device) => [...(duplicates[device]?.values() ?? [])].some(isIn));
  }

  function readingsAsPartials(device: number): ModelPartial[] {
    return [...storedOf(device).values()].map(({ timestampMs, arrivedMs, value }) => ({
      ...figuresOf(value),
      device,
      windowMs: timestampMs,
      segmentMs: arrivedMs,
    }));
  }

  function foldSegment(
    partials: readonly ModelPartial[],
    { sinceMs, toMs, fromRaw }: { sinceMs: number; toMs: number; fromRaw: readonly number[] },
  ): void {
    const groups = new Map<string, ModelPartial>();
    const below = [
      ...partials.filter(({ device }) => !fromRaw.includes(device)),
      ...fromRaw.flatMap(readingsAsPartials),
    ];
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
    /** All readings of a device that were ever stored in [sinceMs, toMs), without these spans. */
    everStored: (options: {
      readonly device: number;
      readonly sinceMs: number;
      readonly toMs: number;
      readonly except: readonly Span[];
    }): readonly ModelReading[] =>
      [...(ever[options.device] as Map<number, ModelReading>).values()].filter(
        ({ timestampMs }) =>
          isIn(options, timestampMs) && !options.except.some((span) => isIn(span, timestampMs)),
      ),
    /** Inserts a message, first wins; returns false if it is rejected. */
    insert(reading: ModelReading): boolean {
      const stored = storedOf(reading.device);
      if (stored.has(reading.timestampMs)) return false;
      stored.set(reading.timestampMs, reading);
      const known = ever[reading.device] as Map<number, ModelReading>;
      if (!known.has(reading.timestampMs)) known.set(reading.timestampMs, reading);
      return true;
    },
    /** Marks the window of a dead letter, unless it is a redelivery of the stored record itself. */
    mark(letter: ModelDeadLetter, options: { readonly isRedeliveryMarked: boolean }): void {
      const isRedelivery = storedOf(letter.device).get(letter.timestampMs)?.offset === letter.offset;
      if (isRedelivery && !options.isRedeliveryMarked) return;
      const windowMs = alignDown(letter.timestampMs, modelSizes.windowMs);
      const known = duplicates[letter.device]?.get(windowMs);
      duplicates[letter.device]?.set(windowMs, {
        ...known,
        firstMs: Math.min(known?.firstMs ?? letter.arrivedMs, letter.arrivedMs),
        lastMs: Math.max(known?.lastMs ?? letter.arrivedMs, letter.arrivedMs),
      });
    },
    /** Marks a window whose partials lack a message. */
    markLate(device: number, windowMs: number, { firstMs, lastMs }: ModelDuplicateWindow): void {
      if (coarsePureSinceMs === 0) coarsePureSinceMs = 1;
      const known = duplicates[device]?.get(windowMs);
      duplicates[device]?.set(windowMs, {
        ...known,
        firstMs: Math.min(known?.firstMs ?? firstMs, firstMs),
        lastMs: Math.max(known?.lastMs ?? lastMs, lastMs),
      });
    },
    /** Replaces the partial with the same key. */
    replace(partial: ModelPartial): void {
      fine.set(`${partial.device}|${partial.windowMs}|${partial.segmentMs}`, partial);
    },
    /** Folds the next segment of the coarse level, and publishes its frontier unless there is a crash before. */
    foldOnce(
      frontierMs: number,
      options: {
        readonly hasCrash: boolean;
        /** Folds the segment from partials only, although the level counts as pure. */
        readonly isImpure: boolean;
        readonly rawKeptSinceMs: () => number;
      },
    ): void {
      if (alignDown(frontierMs, modelSizes.coarseMs) <= coarseFrontierMs) return;
      const below = [...fine.values()].filter(({ segmentMs }) => segmentMs >= coarseFrontierMs);
      const fold = nextFold({
        segmentMs: modelSizes.coarseMs,
        frontierMs: coarseFrontierMs,
        belowFrontierMs: frontierMs,
        firstBelowMs: below.length === 0 ? undefined : Math.min(...below.map(({ segmentMs }) => segmentMs)),
      });
      if (fold.kind === "none") return;
      if (fold.kind === "fold") {
        const { sinceMs, toMs } = fold;
        const isPure = !options.isImpure && sinceMs >= (coarsePureSinceMs ?? Number.POSITIVE_INFINITY);
        const fromRaw = isPure ? duplicatesIn(sinceMs, toMs) : [];
        const hasLost = ({ windowMs, segmentMs }: ModelPartial): boolean =>
          segmentMs >= sinceMs && segmentMs < toMs && windowMs < options.rawKeptSinceMs();
        if (fromRaw.length > 0 && below.some(hasLost)) {
          coarsePureSinceMs = toMs;
          foldSegment(below, { sinceMs, toMs, fromRaw: [] });
        } else foldSegment(below, { sinceMs, toMs, fromRaw });
      }
      if (!options.hasCrash) coarseFrontierMs = fold.toMs;
    },
    /** Repairs some windows of a device at the frontier. */
    repair(
      device: number,
      options: {
        readonly frontierMs: number;
        readonly windowsMax: number;
        readonly rawKeptSinceMs: number;
      },
    ): void {
      const known = duplicates[device] as Map<number, ModelDuplicateWindow>;
      const { frontierMs, windowsMax, rawKeptSinceMs } = options;
      const spans = chooseRepairs(
        [...known].map(([windowMs, { firstMs, lastMs, repair }]) => ({
          deviceId: String(device),
          sensor: "temperature",
          windowMs,
          firstDuplicateMs: firstMs,
          lastDuplicateMs: lastMs,
          repairedThroughMs: repair?.throughMs,
        })),
        {
          frontierMs,
          windowsMax,
          rawKeptSinceMs,
          windowMs: modelSizes.windowMs,
          spanWindowsMax: 3,
        },
      );
      for (const { sinceMs, toMs } of spans) {
        for (let windowMs = sinceMs; windowMs < toMs; windowMs += modelSizes.windowMs) {
          const window = { sinceMs: windowMs, toMs: windowMs + modelSizes.windowMs };
          const figures = sumOf(
            storedOf(device).values(),
            ({ timestampMs, arrivedMs }) => isIn(window, timestampMs) && arrivedMs < frontierMs,
          );
          const marked = known.get(windowMs) as ModelDuplicateWindow;
          known.set(windowMs, { ...marked, repair: { throughMs: frontierMs, figures } });
        }
      }
    },
    /** Deletes readings and partials, like the operator. */
    deleteExpired({ marks, frontiersMs }: ModelDeletion): void {
      const [frontierMs = 0, coarseMs = 0] = frontiersMs;
      for (const stored of raw) {
        for (const [timestampMs, { arrivedMs }] of stored) {
          if (timestampMs < marks.rawMs && arrivedMs < frontierMs) stored.delete(timestampMs);
        }
      }
      for (const [level, partials] of [fine, coarse].entries()) {
        for (const [key, { windowMs, segmentMs }] of partials) {
          if (windowMs < (marks.levelsMs[level] as number) && segmentMs < coarseMs) partials.delete(key);
        }
      }
    },
    storeOf: (device: number): ModelStore => ({
      readings: [...storedOf(device).values()],
      levels: [fine, coarse].map((level) =>
        [...level.values()].filter((partial) => partial.device === device),
      ),
      duplicates: duplicates[device] as ReadonlyMap<number, ModelDuplicateWindow>,
    }),
    /** From now on the coarse level is folded pure, except segments that may be folded already. */
    startPure(sinceMs: number): void {
      coarsePureSinceMs ??= sinceMs;
    },
    get coarsePureSinceMs() {
      return coarsePureSinceMs;
    },
    get coarseFrontierMs() {
      return coarseFrontierMs;
    },
  };
}

function isIn({ sinceMs, toMs }: Span, timestampMs: number): boolean {
  return timestampMs >= sinceMs && timestampMs < toMs;
}
