import { constants, zstdCompressSync } from "node:zlib";
import { crc32c, Writer } from "@platformatic/kafka";
import type { MessageBatch } from "../message-log.ts";
import type { LogDevice } from "./log-devices.ts";
import { createMessageWriter, recordBytesMax, writeVarint } from "./message-bytes.ts";

/** The producer of a partition: its broker does not append a batch twice. */
export type BatchProducer = {
  readonly id: bigint;
  readonly epoch: number;
  /** Sequence of the first record of the batch; it increases by one for each record, within 31 bits. */
  readonly sequence: number;
};

/** The compressions of the records of a batch. */
export const compressions = ["none", "zstd"] as const;

export type Compression = (typeof compressions)[number];

/** Writes rows as a Kafka record batch (format 2). It is reused. */
export type RecordBatchWriter = {
  /** Number of records since the last `finish`. */
  readonly records: number;
  /** Adds a row, which is of `device`. Returns false, without adding it, if the batch is full. */
  add(batch: MessageBatch, row: number, device: LogDevice): boolean;
  /** Returns the batch, still without a producer, in memory of its own, and begins the next. */
  finish(timestampMs: number): Buffer;
  /** Takes back the memory of a batch that nothing reads any more. */
  recycle(batch: Buffer): void;
};

/**
 * Creates a writer of batches with at most `recordsMax` records and `bytesMax` bytes before compression, but at
 * least one record.
 * Source of the format: https://kafka.apache.org/documentation/#recordbatch
 */
export function createRecordBatchWriter({
  recordsMax,
  bytesMax,
  compression = "none",
}: {
  readonly recordsMax: number;
  readonly bytesMax: number;
  readonly compression?: Compression;
}): RecordBatchWriter {
  const bufferBytes = Math.max(bytesMax, at.records + recordBytesMax);
  /** Used again: memory outside of V8's heap that is allocated for each batch makes it collect all of the heap often. */
  const free: Buffer<ArrayBuffer>[] = [];
  let buffer = Buffer.allocUnsafeSlow(bufferBytes);
  let view = new DataView(buffer.buffer);
  const writeMessage = createMessageWriter();
  let records = 0;
  let end: number = at.records;

  return {
    get records() {
      return records;
    },
    add(batch, row, device) {
      if (records > 0 && (records >= recordsMax || end + recordBytesMax > bytesMax)) return false;
      // The length comes first: two bytes, because a record has 64 to 8191.
      const start = end + 2;
      view.setUint16(start, 0); // attributes, and time since the first record
      let pos = writeVarint(view, start + 2, records);
      pos = writeMessage(view, pos, batch, row, device);
      view.setUint8(pos++, 0); // headers
      writeVarint(view, end, pos - start);
      end = pos;
      records++;
      return true;
    },
    finish(timestampMs) {
      const plain = buffer.subarray(at.records, end);
      const body = compression === "zstd" ? zstdCompressSync(plain, zstdOptions) : plain;
      const isLarge = body === plain && end >= largeBytes;
      const bytes = isLarge ? buffer.subarray(0, end) : Buffer.allocUnsafeSlow(at.records + body.length);
      if (isLarge) {
        buffer = free.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
        view = new DataView(buffer.buffer);
      } else body.copy(bytes, at.records);
      bytes.fill(0, 0, at.records);
      bytes.writeInt32BE(bytes.length - at.leaderEpoch, at.length);
      bytes.writeInt32BE(-1, at.leaderEpoch);
      bytes[at.magic] = 2;
      if (compression === "zstd") bytes.writeInt16BE(zstdAttribute, at.attributes);
      bytes.writeInt32BE(records - 1, at.lastOffsetDelta);
      bytes.writeBigInt64BE(BigInt(Math.floor(timestampMs)), at.firstTimestamp);
      bytes.writeBigInt64BE(BigInt(Math.floor(timestampMs)), at.maxTimestamp);
      bytes.writeInt32BE(records, at.count);
      records = 0;
      end = at.records;
      return bytes;
    },
    recycle({ buffer: memory }) {
      const isOurs = memory instanceof ArrayBuffer && memory.byteLength === bufferBytes;
      if (isOurs && free.length < freeMax) free.push(Buffer.from(memory));
    },
  };
}

/** Sets the producer of a batch, and its checksum. A batch that is sent again keeps its producer and sequence. */
export function setBatchProducer(bytes: Buffer, { id, epoch, sequence }: BatchProducer): void {
  bytes.writeBigInt64BE(id, at.producerId);
  bytes.writeInt16BE(epoch, at.producerEpoch);
  bytes.writeInt32BE(sequence, at.sequence);
  // crc32c copies a Buffer, but not a DynamicBuffer.
  const { dynamicBuffer } = Writer.create().append(bytes.subarray(at.attributes));
  bytes.writeUInt32BE(crc32c(dynamicBuffer), at.crc);
}

/** From here on a batch takes the memory that it was written to; a smaller one is copied, so that it does not hold it. */
const largeBytes = 64 * 1024;
/** Maximum number of kept buffers: as many partitions are sent to at once without new ones. */
const freeMax = 16;

const zstdAttribute = 4;
/** The quickest: neighbours repeat most of each record, which any level finds. */
const zstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** The positions of the fields of a batch; the broker sets the first, its offset. */
const at = {
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  firstTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  sequence: 53,
  count: 57,
  records: 61,
} as const;
