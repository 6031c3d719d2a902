// Numbers of the aggregator that are not settings. Times are in milliseconds unless a name states another unit.
import type { Backoff } from "@devicemesh/kit/lifetime/backoff";

/** Number of ticks of a partition that are kept: those of an hour. Beyond it, older ones are thinned out. */
export const ticksMax = 3600;

/** Longest move of the frontier in one step, which bounds the number of series that the step registers. */
export const frontierStepMaxMs = 600_000;

/** Number of devices that one pipeline folds from raw readings. */
export const foldDevicesMax = 1000;

/** Approximate number of series that one pipeline folds: a few hundred partials each, so that it ends in seconds. */
export const foldSeriesMax = 500;

/** Number of buckets of sketches in memory while a segment is folded: 50 MB, 15,000 series that send every 10 s. */
export const sketchBucketsMax = 1_000_000;

/** Readings that arrived within this time are read at once for their sketches, in ms. */
export const sketchSliceMs = 60_000;

/** Longest delay of a loop after consecutive failures. */
export const failureDelayMaxMs = 5000;

/** Time limit of disposal: below the ten seconds after which containers are killed. */
export const closeMaxMs = 5000;

/** Interval at which a standby reads what the leader has published. */
export const watchIntervalMs = 2000;

/** Delays between attempts to reach a dependency at the start. */
export const retryBackoff: Backoff = { firstMs: 250, longestMs: 5000 };

/** Number of consecutive immediate retries after a failure that is known to be temporary. */
export const passingRestartsMax = 3;

/** How long closing waits for a call that Spark does not answer, in ms. */
export const jobCloseWaitMs = 2000;

/** How many batches of the window job wait to be checked at most; later ones are read from the log as one range. */
export const waitingChecksMax = 1000;

/** How often it is remembered which batches of the window job are checked. */
export const checkpointPersistIntervalMs = 10_000;

/** Interval at which health follows the state of the aggregator. */
export const healthIntervalMs = 500;

/** A request of AggregatorService contains only a few names. */
export const readBytesMax = 64 * 1024;
