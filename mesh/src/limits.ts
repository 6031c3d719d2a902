// Numbers of `npm run mesh` that are not settings. Times are in milliseconds.

/** Longer than the shutdown grace of any service. */
export const stopLimitMs = 10_000;

/** A service that has run so long starts again without a wait. */
export const settledMs = 30_000;

/** How many of the last lines of a service that cannot start are shown. */
export const logLinesShownMax = 20;

/** How long a service that a killed mesh left may take to end by itself. */
export const orphanGraceMs = 5000;

/** How long the end waits for units that are open: the rest of what a device sends, and its acknowledgement. */
export const openCallsLimitMs = 10_000;

/** How often it is looked whether it is back. */
export const addressPollMs = 20;
