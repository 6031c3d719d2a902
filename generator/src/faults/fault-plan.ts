/** The simulated faults. Rates are shares of readings, 0 to 1. */
export type FaultPlan = {
  /** The share of readings that are delayed. */
  readonly lateRate: number;
  /** The mean delay of late readings (exponentially distributed), in milliseconds. */
  readonly lateMeanMs: number;
  /** The longest delay of late readings, in milliseconds. */
  readonly lateMaxMs: number;
  /** Readings are shuffled within groups of this size; 0 or 1 keeps the order. */
  readonly shuffleSpan: number;
  /** The share of readings that are sent twice. */
  readonly duplicateRate: number;
  /** Each device's clock is ahead or behind by up to this time, in milliseconds. */
  readonly clockSkewMaxMs: number;
  /** The share of measuring intervals in which a device goes offline. */
  readonly offlineRate: number;
  /** The mean length of offline spells (exponentially distributed), in milliseconds. */
  readonly offlineMeanMs: number;
  /** The share of readings that break a rule, so that ingest rejects them. */
  readonly invalidRate: number;
};

/** No faults; the delays are the defaults once a rate is set. */
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

/** Whether there is any fault. */
export function hasFaults(plan: FaultPlan): boolean {
  const { lateRate, shuffleSpan, duplicateRate, clockSkewMaxMs, offlineRate, invalidRate } = plan;
  return lateRate + duplicateRate + clockSkewMaxMs + offlineRate + invalidRate > 0 || shuffleSpan > 1;
}
