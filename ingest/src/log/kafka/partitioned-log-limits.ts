import type { SendLimits } from "./partition-sender.ts";

/** The limits of a partitioned log. Each is an upper bound, inclusive. */
export type PartitionedLogLimits = SendLimits & {
  /** Time limit of an append. */
  readonly appendTimeoutMs: number;
  /** The same once the log has failed for longer than that. */
  readonly unavailableTimeoutMs: number;
  /** Time limit for appends to finish when the log is closed. */
  readonly closeGraceMs: number;
  /** Delay before a retry that callers receive. */
  readonly retryDelayMs: number;
  /** Interval of polls of the topic: while it is healthy, and otherwise. */
  readonly watch: { readonly healthyMs: number; readonly failingMs: number };
};

/** The defaults. */
export const defaultPartitionedLogLimits = {
  // A request costs a broker and this process the same whatever its size; under load, many rows share it.
  lingerMs: 5,
  // As many as fit into the bytes below.
  sendRecordsMax: 6000,
  // Below 1 MiB, the default limit of brokers (max.message.bytes).
  sendBytesMax: 960 * 1024,
  compression: "none",
  // The longest is below the time limit of appends while the log is unavailable, so that each is tried.
  resend: { firstMs: 50, longestMs: 500 },
  // A broker that dies is replaced after 9 s (broker.session.timeout.ms), or earlier if that is set lower.
  appendTimeoutMs: 15_000,
  unavailableTimeoutMs: 1000,
  closeGraceMs: 3000,
  retryDelayMs: 1000,
  watch: { healthyMs: 5000, failingMs: 500 },
} as const satisfies PartitionedLogLimits;
