import type { PartitionOffsets } from "@devicemesh/aggregator/log/log-access";
import type { SampleRecord } from "../engines/sample-records.ts";
import type { Fleet } from "../fleet/fleet.ts";

/** A stored reading, recomputed from the seed. */
export type StoredReading = {
  readonly timestampMs: number;
  readonly value: number;
  /** An answer need not contain it yet; see `isPending`. */
  readonly isPending: boolean;
};

/** What is known of the log, by the position of a message: not what any store made of it. */
export type LogFacts = {
  /** Finds a message of a sampled device by its reading and copy. */
  recordOf(device: number, reading: number, copy: number): SampleRecord | undefined;
  /** By partition: the sink has handled the messages before. */
  readonly stored: Float64Array;
  readonly checked: PartitionOffsets;
  readonly completeThroughMs: number;
};

/** Indexes the messages of the sampled devices. */
export function indexRecords(records: readonly (readonly SampleRecord[])[]): LogFacts["recordOf"] {
  const found = new Map<string, SampleRecord>();
  for (const list of records) {
    for (const record of list) found.set(`${record.device}|${record.reading}|${record.copy}`, record);
  }
  return (device, reading, copy) => found.get(`${device}|${reading}|${copy}`);
}

/**
 * Every reading of a device in [sinceMs, toMs) that is stored, each once: its readings are generated again, and of two
 * messages with one identity the one with the smaller offset counts.
 */
export function storedReadings(
  fleet: Fleet,
  device: number,
  { sinceMs, toMs, facts }: { readonly sinceMs: number; readonly toMs: number; readonly facts: LogFacts },
): readonly StoredReading[] {
  const partition = fleet.partition(device);
  const limit = facts.stored[partition] as number;
  const first = new Map<number, { readonly offset: number; readonly reading: StoredReading }>();
  fleet.eachAppend(device, ({ reading, copy, timestampMs, value }) => {
    if (timestampMs < sinceMs || timestampMs >= toMs) return;
    const record = facts.recordOf(device, reading, copy);
    if (!record || record.offset < 0 || record.offset >= limit) return;
    const known = first.get(timestampMs);
    if (known && known.offset < record.offset) return;
    const isLate = isPending(record, facts, partition);
    first.set(timestampMs, { offset: record.offset, reading: { timestampMs, value, isPending: isLate } });
  });
  return [...first.values()].map(({ reading }) => reading);
}

/**
 * Whether an answer need not contain a message yet: its broker's clock had stepped back, and neither
 * `complete_through` nor the check of Spark's batches has passed it.
 */
function isPending(
  { arrivedMs, newestMs, offset }: SampleRecord,
  { completeThroughMs, checked }: LogFacts,
  partition: number,
): boolean {
  return arrivedMs < newestMs && newestMs >= completeThroughMs && offset >= (checked.get(partition) ?? 0);
}
