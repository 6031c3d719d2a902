import type { SendLimits } from "./partition-sender.ts";
import type { WatchIntervals } from "./topic-watch.ts";

/** What a partitioned log can be set to. Every limit is an upper bound, inclusive. */
export type PartitionedLogLimits = SendLimits & {
  /** Readings of the appends that are let in and not answered; one larger append is let in alone. */
  readonly readingsInFlightMax: number;
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
  // A send costs a broker and us the same whatever it holds; so does a wait of this length nobody.
  lingerMs: 5,
  // The producer of kafkajs groups records in quadratic time: at 500 it costs less than the sends it saves.
  sendRecordsMax: 500,
  // With the overhead of records below 1 MiB, which brokers take by default (max.message.bytes).
  sendBytesMax: 768 * 1024,
  resendMinMs: 50,
  // Below the time that appends get while the log is away, so that each is tried.
  resendMaxMs: 500,
  // 8 bytes a reading, beside the callers' batches. Enough to fill the sends of 100 partitions four times.
  readingsInFlightMax: 200_000,
  // A broker that dies is replaced after 9 s (broker.session.timeout.ms), and after less where that is set lower.
  appendTimeoutMs: 15_000,
  unavailableTimeoutMs: 1000,
  closeGraceMs: 3000,
  retryDelayMs: 1000,
  watch: { wellMs: 5000, failingMs: 500 },
} as const satisfies PartitionedLogLimits;
