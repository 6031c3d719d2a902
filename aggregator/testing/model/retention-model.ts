import {
  hasDeleted,
  type KeptSince,
  keptSinceAt,
  type Level,
  nothingDeleted,
  type Retention,
} from "@devicemesh/proto";
import { type ModelRecord, modelSizes } from "./engines-model.ts";
import type { ModelRandom } from "./model-random.ts";
import type { LeftOut } from "./model-rules.ts";

// The operator's part: marks that only grow, their announcement to ingest, and delayed deletions. Times are ms.

/** The levels of the model, the finest first. */
export const modelLevels: readonly Level[] = [
  { windowMs: modelSizes.windowMs, segmentMs: modelSizes.segmentMs },
  { windowMs: modelSizes.coarseMs, segmentMs: modelSizes.coarseMs },
];

/** Limits of the model, which the real ones have too; `deletionDelayMs` exceeds the sum of the others. */
export const modelLimits = {
  /** Ingest accepts nothing under an older mark. */
  boundStaleMs: 6,
  /** An append that was checked takes at most this long. */
  appendMs: 4,
  /** A horizon in use is at most this old. */
  horizonMs: 25,
  deletionDelayMs: 30,
  refusalMarginMs: 10,
} as const;

/** Deletes data that lies before the marks and arrived before the frontiers. */
export type ModelDeletion = {
  readonly marks: KeptSince;
  /** The levels, the finest first. */
  readonly frontiersMs: readonly number[];
};

/** The retention of a mesh whose operator is sometimes restarted with another retention. */
export function createRetentionModel(options: {
  readonly random: ModelRandom;
  readonly leftOut: LeftOut | undefined;
}) {
  const { random, leftOut } = options;
  let retention = anyRetention(random);
  let marks = nothingDeleted(modelLevels);
  let pending: (ModelDeletion & { readonly dueMs: number }) | undefined;
  // The announcements to ingest, and their times.
  const announced: { readonly sinceMs: number; readonly atMs: number }[] = [];

  return {
    get marks() {
      return marks;
    },
    /** A step of the operator; returns its deletion, if one is due. */
    step(nowMs: number, frontiersMs: readonly number[]): ModelDeletion | undefined {
      const frontierMs = frontiersMs[0] ?? 0;
      marks = keptSinceAt({
        retention,
        levels: modelLevels,
        before: marks,
        nowMs: Math.min(nowMs, frontierMs),
        marginMs: modelLimits.refusalMarginMs,
      });
      announced.push({ sinceMs: marks.rawMs + modelLimits.refusalMarginMs, atMs: nowMs });
      if (!hasDeleted(marks)) return undefined;
      pending ??= { marks, frontiersMs, dueMs: nowMs + modelLimits.deletionDelayMs };
      if (frontierMs < pending.dueMs && leftOut !== "nowait") return undefined;
      const due = pending;
      pending = undefined;
      return due;
    },
    /** The operator dies, before its next deletion, and restarts with another retention. */
    restart(): void {
      pending = undefined;
      retention = anyRetention(random);
      if (leftOut === "nomarks") marks = nothingDeleted(modelLevels);
    },
    /** The earliest timestamp that an ingest may accept, by the marks that it has read. */
    acceptedSinceMs(nowMs: number): number {
      if (leftOut === "noingestmark") return Number.NEGATIVE_INFINITY;
      const knownMs = nowMs - random.between(0, modelLimits.boundStaleMs);
      return announced.findLast(({ atMs }) => atMs <= knownMs)?.sinceMs ?? Number.NEGATIVE_INFINITY;
    },
  };
}

/** Every ingest: checks a reading by the mark that it has read, and appends it some time later. */
export function createIngestModel(options: {
  readonly retention: ReturnType<typeof createRetentionModel>;
  readonly random: ModelRandom;
}) {
  const { retention, random } = options;
  let rejected = 0;
  let appending: { readonly reading: SentReading; readonly atMs: number }[] = [];
  return {
    take(reading: SentReading, nowMs: number): void {
      if (reading.timestampMs < retention.acceptedSinceMs(nowMs)) rejected++;
      else appending.push({ reading, atMs: nowMs + random.pick([0, 0, modelLimits.appendMs]) });
    },
    /** The readings that are appended now. */
    due(nowMs: number): readonly SentReading[] {
      const due = appending.filter(({ atMs }) => atMs <= nowMs);
      appending = appending.filter(({ atMs }) => atMs > nowMs);
      return due.map(({ reading }) => reading);
    },
    get rejected() {
      return rejected;
    },
  };
}

type SentReading = NonNullable<ModelRecord["reading"]>;

function anyRetention(random: ModelRandom): Retention {
  const rawMs = random.pick([undefined, 30, 60, 180]);
  const longer = (ms: number | undefined): number | undefined =>
    ms === undefined ? undefined : random.pick([undefined, ms + 60, ms + 240]);
  const fineMs = longer(rawMs);
  return { rawMs, levelsMs: [fineMs, longer(fineMs)] };
}
