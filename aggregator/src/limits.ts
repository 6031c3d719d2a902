// Numbers of the aggregator that are not settings. Times are in milliseconds unless a name says otherwise.

/** How many ticks of a partition are remembered: an hour of them. Beyond, older ones are thinned out. */
export const ticksMax = 3600;

/** The frontier moves at most so far at once: what a step registers is bounded. */
export const frontierStepMaxMs = 600_000;

/** How many devices one pipeline folds from raw readings. */
export const foldDevicesMax = 1000;

/** One pipeline folds about so many series: some hundred partials each, so that it ends in seconds. */
export const foldSeriesMax = 500;

/** How long a loop waits at most after failures that follow each other. */
export const failureDelayMaxMs = 5000;

/** How long disposing takes at most: below the ten seconds after which containers are killed. */
export const closeMaxMs = 5000;

/** How often one that waits looks at what the active one has published. */
export const watchIntervalMs = 2000;

export const retryFirstMs = 250;

export const retryMaxMs = 5000;

/** How often in a row what is known to pass is answered at once. */
export const passingRestartsMax = 3;

/** How long closing waits for a call that Spark does not answer, in ms. */
export const jobCloseWaitMs = 2000;

/** How often health follows the state of the aggregator. */
export const healthIntervalMs = 500;

/** A request of AggregatorService is a few names. */
export const readBytesMax = 64 * 1024;
