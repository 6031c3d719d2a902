/** The rules. A test leaves out each to show that it is needed. */
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
  // Retention: marks are kept; they limit ingest and repairs; deletion waits for readers of older marks.
  "nomarks",
  "noingestmark",
  "norepairmark",
  "nowait",
  // Clocks that step back: what Spark drops is searched, in gaps as well; its windows are marked at the frontier and
  // outside the coarse level; complete_through waits for that.
  "nochecks",
  "nogaps",
  "marksoon",
  "marktime",
  "markcoarse",
  "nohold",
  // Ticks that Spark counts as later: a batch's watermark counts as far as the ticks prove what it has read; in a gap
  // the watermark may have been ahead.
  "noproof",
  "nolead",
] as const;

/** A rule; or `redeliver`, that a redelivery is not a duplicate, which affects latency only. */
export type LeftOut = (typeof rules)[number] | "redeliver";

/** The result of a run. */
export type ModelRun = {
  /** The first difference between an answer and brute force; undefined if there is none. */
  readonly wrong: string | undefined;
  readonly answers: number;
  /** Number of answers that used the coarse level, a dirty window, or a repair. */
  readonly fromCoarse: number;
  readonly fromDirty: number;
  readonly fromRepaired: number;
  /** Number of answers that left out deleted data, and number of rejected readings. */
  readonly notCovered: number;
  readonly rejected: number;
  /** Number of messages that Spark dropped by its watermark. */
  readonly dropped: number;
  /** Whether clocks of brokers stepped back. */
  readonly hasSteps: boolean;
  /** Whether Spark counted ticks as later. */
  readonly hasLead: boolean;
  readonly hasMoved: boolean;
};
