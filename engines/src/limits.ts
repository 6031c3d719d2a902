// Numbers of the engines that are not settings. Times are in milliseconds unless a name states another unit.

/** Two sinks with batches of a few thousand small records. */
export const workerHeapMebibytes = 512;

/** Enough for a broker with little load; thousands of topics need more. */
export const brokerHeapMebibytes = 384;

/** Master and workers only supervise processes. */
export const watcherHeapMebibytes = 128;

/** Recording its classes takes an engine 10 s when it ends, and minutes on a busy machine. */
export const archivingLimitMs = 300_000;

/** A response to a probe is short; a longer one is invalid. */
export const answerBytesMax = 16 * 1024 * 1024;

/** Time limit of one readiness probe. */
export const askLimitMs = 3000;

/** Maximum number of listed files: a mirror with other files would fill the screen. */
export const problemsListedMax = 20;

/** The oldest major version of Java that Kafka and Spark run on. */
export const javaMajorMin = 17;

/** A cold installation over a slow connection. */
export const installLockLimitMs = 3_600_000;

/** Time limit for a graceful stop of the processes of a killed launcher. */
export const orphanGraceMs = 10_000;

/** A killed process that has not ended by then is blocked, for example by a disk. */
export const killLimitMs = 30_000;

/** Long enough for the engines of another start or stop to end, on a busy machine. */
export const stateLockLimitMs = 300_000;

/** Number of logs of earlier starts that are kept. */
export const logsKept = 3;

/** Length of the part of a log that is shown with an error. */
export const logLinesShownMax = 20;

/** An engine that cannot write has less free space than this: logs and segments grow in steps of a few MiB. */
export const fullBelowBytes = 32 * 1024 * 1024;
