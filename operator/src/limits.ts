// Numbers of the operator that are not settings. Times are in milliseconds unless a name says otherwise.

/** Marks move at most every ten minutes; deleting goes on at once while there is more. */
export const retentionStepMs = 10_000;

/** How long the connection may take to close, in ms; then the end of the process closes it. */
export const retentionCloseLimitMs = 2000;

/** So many of the oldest partials are looked at to find out whether their raw readings are gone. */
export const oldestPartialsMax = 100;

/**
 * How far the finest frontier must have moved past the announcement of a mark before anything is deleted, in ms.
 * By then every reading that was checked against an older mark is stored, or known as a duplicate: ingest knows a
 * mark for at most 3 minutes less than everybody, and gives an append up after at most 5. Answers that were planned
 * by an older mark take a minute at most.
 */
export const deletionDelayMs = 600_000;

/** The announcement is repeated so often, in ms, in case its topic was lost. */
export const announceEveryMs = 600_000;

/** Documents of one deletion: a fraction of a second. */
export const deletionBatchMax = 2000;

/** Batches of one step, so that the keeper can be stopped soon. */
export const deletionBatchesMax = 20;

/** How long a new topic may take to have leaders. */
export const leaderWaitMs = 15_000;

/** Clocks of brokers and of the aggregator may differ by so much; storing again what is there does no harm. */
export const replayMarginMs = 60_000;

/** A sink that stores nothing for so long will not. */
export const replayStuckAfterMs = 120_000;

/** How long a sink may take to stop before its offsets are reset. */
export const sinkStopWaitMs = 60_000;

/** A count is for people; beyond this it says "many", and must not take long. */
export const dirtyWindowsCountMax = 1000;

/** How many times as long as one answer an inspection may take: it asks for dozens of things. */
export const inspectionAnswersMax = 3;

/** How many duplicates and conflicts of one device in an hour are a problem. */
export const duplicatesPerHourMax = 1_000_000;

/** The most devices that are named at a time. */
export const devicesNamedMax = 5;

/** So many dead letters are looked up and written at a time: some MB at most, and a fraction of a second. */
export const deadLettersReadMax = 1000;

/** A slice may take this long without the broker taking the partition away. */
export const readerSessionTimeoutMs = 45_000;

/** Offsets of an idle partition are committed so often. */
export const idleCommitMs = 1000;

/** A reason may hold a whole document; so much of it is kept. */
export const reasonLengthMax = 1000;

/** How many of the latest conflicts of a series are kept. */
export const latestConflictsMax = 5;
