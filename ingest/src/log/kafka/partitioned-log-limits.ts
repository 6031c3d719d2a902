import type { SendLimits } from "./partition-sender.ts";
import type { WatchIntervals } from "./topic-watch.ts";

/** What a partitioned log can be set to. Every limit is an upper bound, inclusive. */
export type PartitionedLogLimits = SendLimits & {
  /** How long an append may take before it is given up. */
  readonly appendTimeoutMs: number;
  /** The same once the log has failed for longer than that. */
  readonly unavailableTimeoutMs: number;
  /** How long appends may take to finish when the log is closed. */
  readonly closeGraceMs: number;
  /** How long callers should wait before they try again. */
  readonly retryDelayMs: number;
  /** How often the topic is looked at. */
  readonly watch: WatchIntervals;
};

/** The defaults. */
export const defaultPartitionedLogLimits = {
  // A request costs a broker and us the same whatever it holds; this is long enough to share it.
  lingerMs: 5,
  // As many as fit into the bytes below.
  sendRecordsMax: 6000,
  // Below 1 MiB, which brokers take by default (max.message.bytes).
  sendBytesMax: 960 * 1024,
  resendMinMs: 50,
  // Below the time that appends get while the log is away, so that each is tried.
  resendMaxMs: 500,
  // A broker that dies is replaced after 9 s (broker.session.timeout.ms), and after less where that is set lower.
  appendTimeoutMs: 15_000,
  unavailableTimeoutMs: 1000,
  closeGraceMs: 3000,
  retryDelayMs: 1000,
  watch: { wellMs: 5000, failingMs: 500 },
} as const satisfies PartitionedLogLimits;
