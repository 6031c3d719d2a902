/** The outbox's bounds. */
export type OutboxLimits = {
  /** Readings in a frame; at most 1000. */
  readonly frameReadings: number;
  /** A unit is cut at so many readings … */
  readonly unitReadings: number;
  /** … or when its first reading is so old, in milliseconds, and a sender is free. */
  readonly unitAgeMs: number;
  /** Units sent at the same time, each of other devices. */
  readonly unitsInFlight: number;
  /** Readings in memory that are not acknowledged. Units read back from the spill folder come on top, one for each in flight. */
  readonly memoryReadings: number;
  /** Refused readings that are kept for the report. */
  readonly refusedKept: number;
};

/** Frames of 250, units of 5,000 or one second, 2 in flight, 200,000 readings (about 10 MB) in memory. */
export const defaultOutboxLimits: OutboxLimits = {
  frameReadings: 250,
  unitReadings: 5_000,
  unitAgeMs: 1_000,
  unitsInFlight: 2,
  memoryReadings: 200_000,
  refusedKept: 100,
};
