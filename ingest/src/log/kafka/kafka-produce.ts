import { type Connection, protocolErrorsCodesById, type Reader, Writer } from "@platformatic/kafka";

/** A record batch for a partition. */
export type PartitionBatch = { readonly partition: number; readonly batch: Buffer };

/** A broker's response to a produce request. */
export type ProduceAnswer = {
  /** The name of the error by partition; undefined if the batch was appended. */
  readonly errors: ReadonlyMap<number, string | undefined>;
  /** Delay before the next request that the broker requires, in ms. */
  readonly throttleMs: number;
};

const produceKey = 0;
/** A version with tagged fields; every broker supports it since 2.8. */
const produceVersion = 9;

/**
 * Sends record batches for partitions of one topic in one request, unchanged, with acks=all. Rejects if there is no
 * response. Source of the format: https://kafka.apache.org/protocol#The_Messages_Produce
 */
export function sendProduce(
  connection: Connection,
  request: {
    readonly topic: string;
    /** How long the leaders may wait for their replicas. */
    readonly timeoutMs: number;
    readonly batches: readonly PartitionBatch[];
  },
): Promise<ProduceAnswer> {
  const { topic, timeoutMs, batches } = request;
  const { promise, resolve, reject } = Promise.withResolvers<ProduceAnswer>();
  const write = (): Writer =>
    Writer.create()
      .appendString(null)
      .appendInt16(-1)
      .appendInt32(timeoutMs)
      .appendArray([topic], (writer, name) => {
        writer.appendString(name).appendArray([...batches], (entry, { partition, batch }) => {
          entry
            .appendInt32(partition)
            .appendUnsignedVarInt(batch.length + 1)
            .append(batch);
        });
      })
      .appendTaggedFields();
  const read = (_correlation: number, _key: number, _version: number, reader: Reader): ProduceAnswer =>
    readAnswer(reader, topic);
  connection.send(produceKey, produceVersion, write, read, true, true, (error, answer) => {
    if (error || !answer) reject(error ?? new Error("the broker answered nothing"));
    else resolve(answer);
  });
  return promise;
}

function readAnswer(reader: Reader, topic: string): ProduceAnswer {
  const errors = new Map<number, string | undefined>();
  reader.readArray((ofTopic) => {
    const isOurs = ofTopic.readString() === topic;
    ofTopic.readArray((ofPartition) => {
      const partition = ofPartition.readInt32();
      const code = ofPartition.readInt16();
      const baseOffset = ofPartition.readInt64();
      ofPartition.skip(16); // when it was appended, and the start of the log
      ofPartition.readArray((ofRecord) => {
        ofRecord.readInt32();
        ofRecord.readNullableString();
      });
      ofPartition.readNullableString();
      // Without an offset there is no proof that the log has the batch.
      const isUnproven = code === 0 && baseOffset < 0n;
      if (isOurs) errors.set(partition, isUnproven ? "no offset" : code === 0 ? undefined : errorName(code));
    });
  });
  return { errors, throttleMs: reader.readInt32() };
}

/** Returns the name of a protocol error. */
export function errorName(code: number): string {
  return protocolErrorsCodesById[code] ?? `error ${code}`;
}
