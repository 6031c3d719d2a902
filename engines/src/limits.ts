// Numbers of the engines that are not settings. Times are in milliseconds unless a name says otherwise.

/** Two sinks with batches of a few thousand small records. */
export const workerHeapMebibytes = 512;

/** A broker that does nothing much else; more than three-digit topics need more. */
export const brokerHeapMebibytes = 384;

/** Master and workers only watch and start processes. */
export const watcherHeapMebibytes = 128;

/** Writing down its classes takes an engine 10 s when it ends, and minutes on a busy machine. */
export const archivingLimitMs = 300_000;

/** A probe asks little: an answer longer than this is not one. */
export const answerBytesMax = 16 * 1024 * 1024;

/** How long one readiness probe may take. */
export const askLimitMs = 3000;

/** A mirror that gives other files would fill the screen. */
export const problemsListedMax = 20;

/** The oldest major version of Java that Kafka and Spark run on. */
export const javaMajorMin = 17;

/** A cold install on a slow line. */
export const installLockLimitMs = 3_600_000;

/** How long leftovers of a killed launcher may take to end by themselves. */
export const orphanGraceMs = 10_000;

/** A killed process that is not gone by then waits for a disk or worse. */
export const killLimitMs = 30_000;

/** Long enough for the engines of another start or stop to end, on a busy machine. */
export const stateLockLimitMs = 300_000;

/** Logs of earlier starts that are kept. */
export const logsKept = 3;

/** How much of a log is shown with an error. */
export const logLinesShownMax = 20;

/** An engine that cannot write has less than this: logs and segments grow in steps of some MiB. */
export const fullBelowBytes = 32 * 1024 * 1024;
