// Numbers of the simulator that are not settings. Times are in milliseconds of simulated time unless a name states another unit.

/** The engines move in steps of this size; segments are multiples of it. */
export const stepMs = 1000;

/** Device ids begin with the name of a site, which is what a cell is cut by. */
export const sites = 16;

/** From a measurement to the append, if nothing is late. */
export const latencyMs = { least: 50, most: 2000 } as const;

/** A late reading is at least this late. */
export const lateMinMs = 10_000;

/** From the first append of a duplicate to the second. */
export const duplicateGapMs = { least: 1000, most: 61_000 } as const;

/** One device in so many has a clock that is wrong, by up to this time ahead or behind. */
export const oddClockEvery = 64;
export const clockOffMaxMs = 600_000;

/** Partitions that one broker leads, and that one task of the sink reads; at least three of both. */
export const partitionsPerBroker = 32;
export const partitionsPerSinkTask = 8;
export const brokersMin = 3;
export const sinkTasksMin = 3;

/** The clock of a broker is set back by the fault's duration divided by this. */
export const clockStepShare = 6;

/** Devices of each partition whose every reading is followed and compared with brute force: ordinary and hot ones. */
export const samplesPerPartition = { ordinary: 2, hot: 1 } as const;

/** Capacity of the sinks and of the window job, as a multiple of the mean load. */
export const headroom = 2;

/** The sinks commit their offsets, and the window job starts a batch, at this interval at the earliest. */
export const sinkCommitMs = 1000;
export const batchIntervalMs = 2000;

/** Maximum number of records of one partition in a batch of the window job, as a multiple of its load a second. */
export const batchSecondsMax = 60;

/** After the last reading the engines get this long to finish what waits. */
export const drainMaxMs = 1_800_000;

/** A horizon in use is at most this old. */
export const horizonAgeMaxMs = 5000;

/** One question in so many is about all sampled devices at once, cell by cell. */
export const askAllEvery = 250;

/** Predicted and counted sizes may differ by this part. */
export const sizeTolerance = 0.03;
