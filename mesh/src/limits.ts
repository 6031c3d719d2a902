// Numbers of `npm run mesh` that are not settings. Times are in milliseconds.

/** Longer than the shutdown grace period of any service. */
export const stopLimitMs = 10_000;

/** A service that has run for this time restarts without a delay. */
export const settledMs = 30_000;

/** Number of the last lines of a failed service that are shown. */
export const logLinesShownMax = 20;

/** Time limit for a graceful stop of a service that a killed mesh left running. */
export const orphanGraceMs = 5000;

/** How long the end waits for open units: the rest of a device's readings, and their acknowledgement. */
export const openCallsLimitMs = 10_000;

/** Interval of checks whether it is ready again. */
export const addressPollMs = 20;
