/** What goes wrong on purpose. Rates are shares of readings, 0 to 1. */
export type FaultPlan = {
  /** The share of readings that are held back and sent late. */
  readonly lateRate: number;
  /** The mean delay of late readings (exponentially distributed), in milliseconds. */
  readonly lateMeanMs: number;
  /** The longest delay of late readings, in milliseconds. */
  readonly lateMaxMs: number;
  /** Readings are shuffled within groups of so many; 0 or 1 keeps the order. */
  readonly shuffleSpan: number;
  /** The share of readings that are sent twice. */
  readonly duplicateRate: number;
  /** Each device's clock is off by up to so much, either way, in milliseconds. */
  readonly clockSkewMaxMs: number;
  /** The share of devices' intervals in which an offline spell begins. */
  readonly offlineRate: number;
  /** The mean length of offline spells (exponentially distributed), in milliseconds. */
  readonly offlineMeanMs: number;
  /** The share of readings that break a rule and must be refused. */
  readonly invalidRate: number;
};

/** Nothing goes wrong; delays are those that hold once a rate is given. */
export const noFaults: FaultPlan = {
  lateRate: 0,
  lateMeanMs: 30_000,
  lateMaxMs: 3_600_000,
  shuffleSpan: 0,
  duplicateRate: 0,
  clockSkewMaxMs: 0,
  offlineRate: 0,
  offlineMeanMs: 30_000,
  invalidRate: 0,
};

/** Whether anything goes wrong at all. */
export function hasFaults(plan: FaultPlan): boolean {
  const { lateRate, shuffleSpan, duplicateRate, clockSkewMaxMs, offlineRate, invalidRate } = plan;
  return lateRate + duplicateRate + clockSkewMaxMs + offlineRate + invalidRate > 0 || shuffleSpan > 1;
}
