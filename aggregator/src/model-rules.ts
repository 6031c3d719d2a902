/** The rules, each of which can be left out to see that it is needed. */
export const rules = [
  "nosink",
  "nodlq",
  "noraw",
  "nodirty",
  "maxwm",
  "newrepair",
  "coarsedirty",
  // Retention: marks are remembered; they bind ingest, and repairs; deleting waits for who knows older ones.
  "nomarks",
  "noingestmark",
  "norepairmark",
  "nowait",
] as const;

/** A rule; or `redeliver`, that a redelivery is no repeat, which is there for speed alone. */
export type LeftOut = (typeof rules)[number] | "redeliver";
