/** The rules, each of which can be left out to see that it is needed. */
export const rules = [
  "nosink",
  "nodlq",
  "noraw",
  "nodirty",
  "maxwm",
  "newrepair",
  "coarsedirty",
  "purefold",
  "purestart",
  "purekept",
  // Retention: marks are remembered; they bind ingest, and repairs; deleting waits for who knows older ones.
  "nomarks",
  "noingestmark",
  "norepairmark",
  "nowait",
] as const;

/** A rule; or `redeliver`, that a redelivery is no repeat, which is there for speed alone. */
export type LeftOut = (typeof rules)[number] | "redeliver";

/** What a run came to. */
export type ModelRun = {
  /** Where an answer differs from brute force; undefined if none does. */
  readonly wrong: string | undefined;
  readonly answers: number;
  /** How many answers took something from the coarse level, from a dirty window, from a repair. */
  readonly fromCoarse: number;
  readonly fromDirty: number;
  readonly fromRepaired: number;
  /** How many left something out, since it was deleted, and how many readings were rejected. */
  readonly notCovered: number;
  readonly rejected: number;
  /** Messages that Spark lost to its watermark. */
  readonly dropped: number;
  readonly hasMoved: boolean;
};
