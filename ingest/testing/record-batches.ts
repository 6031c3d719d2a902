import { jsCRC32C, Reader, readRecordsBatch } from "@platformatic/kafka";

/** A message in the format of the topic. */
export type MessageRecord = { readonly key: Buffer; readonly value: Buffer };

/** A record batch, decoded like in a broker. */
export type ReadBatch = {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly sequence: number;
  readonly records: readonly MessageRecord[];
};

/**
 * Decodes a record batch with a client's reader, which is not the code under test.
 * @throws Error if the checksum or a length is wrong, like a broker.
 */
export function readBatch(bytes: Buffer): ReadBatch {
  const batch = readRecordsBatch(Reader.from(bytes));
  const { records, producerId, producerEpoch, firstSequence: sequence } = batch;
  if (batch.magic !== 2) throw new Error(`format ${batch.magic}`);
  if (batch.length !== bytes.length - 12) throw new Error(`${batch.length} bytes of ${bytes.length - 12}`);
  if (batch.crc !== jsCRC32C(bytes.subarray(21))) throw new Error("the checksum is wrong");
  if (batch.lastOffsetDelta !== records.length - 1) throw new Error("the last offset is wrong");
  for (const [place, { offsetDelta, attributes, timestampDelta, headers }] of records.entries()) {
    if (offsetDelta !== place) throw new Error(`record ${place} has the offset ${offsetDelta}`);
    if (attributes !== 0 || timestampDelta !== 0n || headers.length > 0) throw new Error("unexpected fields");
  }
  return {
    producerId,
    producerEpoch,
    sequence,
    records: records.map(({ key, value }) => {
      if (!key || !value) throw new Error("a record without key or value");
      return { key, value };
    }),
  };
}

/** The partitions of a topic in memory. */
export type PartitionStore = {
  readonly stored: readonly (readonly MessageRecord[])[];
  /** Appends the next batch of a producer; a repeated last one is already stored; others are out of order. */
  append(partition: number, batch: ReadBatch): "appended" | "producer lost";
  forgetProducers(): void;
};

/** Creates empty partitions, which check producers like a broker. */
export function createPartitionStore(partitions: number): PartitionStore {
  const stored: MessageRecord[][] = Array.from({ length: partitions }, () => []);
  const producers = new Map<string, { readonly sequence: number; readonly next: number }>();
  return {
    stored,
    append(partition, { producerId, sequence, records }) {
      const name = `${partition}|${producerId}`;
      const last = producers.get(name);
      if (last?.sequence === sequence) return "appended";
      if (sequence !== (last?.next ?? 0)) return "producer lost";
      producers.set(name, { sequence, next: (sequence + records.length) % 2 ** 31 });
      stored[partition]?.push(...records);
      return "appended";
    },
    forgetProducers: () => producers.clear(),
  };
}
