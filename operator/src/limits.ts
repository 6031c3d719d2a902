// Numbers of the operator that are not settings. Times are in milliseconds unless a name states another unit.

/** Marks move at most every ten minutes; deletions continue at once while there is more to delete. */
export const retentionStepMs = 10_000;

/** How long closing the connection may take, in ms; after that, the end of the process closes it. */
export const retentionCloseLimitMs = 2000;

/** Number of the oldest partials that are checked for deleted raw readings. */
export const oldestPartialsMax = 100;

/**
 * How far the finest frontier must have moved past the announcement of a mark before anything is deleted, in ms. By
 * then every reading that was checked against an older mark is stored, or known as a duplicate: ingest is at most 3
 * minutes behind in reading marks, and an append takes at most 5. Answers that were planned with an older mark take at
 * most a minute.
 */
export const deletionDelayMs = 600_000;

/** Interval of repeated announcements, in ms, in case the topic was lost. */
export const announceEveryMs = 600_000;

/** Number of documents in one deletion: it takes a fraction of a second. */
export const deletionBatchMax = 2000;

/** Number of batches in one step, so that the keeper can be stopped soon. */
export const deletionBatchesMax = 20;

/** Time limit for the election of leaders of a new topic. */
export const leaderWaitMs = 15_000;

/**
 * Largest difference between the clocks of brokers and of the aggregator; storing a stored record again does no harm.
 */
export const replayMarginMs = 60_000;

/** A sink that has stored nothing for this time is stuck. */
export const replayStuckAfterMs = 120_000;

/** Time limit for a sink to stop before its offsets are reset. */
export const sinkStopWaitMs = 60_000;

/** A count is for users; beyond this it is reported as "many", because counting must not take long. */
export const dirtyWindowsCountMax = 1000;

/** Time limit of an inspection as a multiple of that of one request: it sends dozens. */
export const inspectionAnswersMax = 3;

/** Number of duplicates and conflicts of one device in an hour that is a problem. */
export const duplicatesPerHourMax = 1_000_000;

/** Maximum number of devices named at a time. */
export const devicesNamedMax = 5;

/** Number of dead letters that are read and written at a time: at most some MB, and a fraction of a second. */
export const deadLettersReadMax = 1000;

/** A slice may take this long before the broker reassigns the partition. */
export const readerSessionTimeoutMs = 45_000;

/** Interval between commits of the offsets of an idle partition. */
export const idleCommitMs = 1000;

/** A reason may contain a whole document; only this much of it is kept. */
export const reasonLengthMax = 1000;

/** Number of conflicts of a series that are kept, the latest ones. */
export const latestConflictsMax = 5;

/** How often the Spark master is connected to, and how long that may take, in ms. */
export const sparkMasterWatch = { everyMs: 10_000, connectMs: 5000 } as const;
