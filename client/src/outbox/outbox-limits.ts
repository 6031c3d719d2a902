/** The outbox's bounds. */
export type OutboxLimits = {
  /** Readings in a frame; at most 1000. */
  readonly frameReadings: number;
  /** A unit is complete at this number of readings … */
  readonly unitReadings: number;
  /** … or when its first reading has this age, in milliseconds, and a sender is free. */
  readonly unitAgeMs: number;
  /** Number of units in flight, each of other devices. */
  readonly unitsInFlight: number;
  /**
   * Maximum number of unacknowledged readings in memory. Units read back from the spill folder are additional, one for
   * each in flight.
   */
  readonly memoryReadings: number;
  /** Number of rejected readings that are kept for the report. */
  readonly refusedKept: number;
};

/**
 * Frames of 250, units of 5,000 or a quarter of a second, 2 in flight, 200,000 readings (about 10 MB) in memory. While
 * a sender is free, a reading waits for its unit at most that quarter, so that it is visible well within a second.
 */
export const defaultOutboxLimits: OutboxLimits = {
  frameReadings: 250,
  unitReadings: 5_000,
  unitAgeMs: 250,
  unitsInFlight: 2,
  memoryReadings: 200_000,
  refusedKept: 100,
};
