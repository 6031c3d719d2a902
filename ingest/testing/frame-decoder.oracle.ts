/**
 * A second decoder of frames, for tests: slow, plain, strict by protobuf's own rules, and written from them, not from
 * the fast one. It first splits a message into records and then interprets them.
 */

/** A reading in the bytes. */
export type OracleReading = {
  deviceId: Buffer;
  timestamp: { seconds: bigint; nanos: number } | undefined;
  /** `field` is the field number of the oneof's member; only a SensorValue has a name. */
  measurement: { field: number; name?: Buffer; value: number | undefined } | undefined;
};

/** The field number of Reading.sensor_value. */
const sensorValueField = 15;

/** Why bytes are not a frame. */
export type OracleReason =
  | "truncated"
  | "varint longer than 10 bytes"
  | "tag longer than 5 bytes or 32 bits"
  | "field number 0"
  | "wire type 6 or 7"
  | "group not begun"
  | "group not ended"
  | "groups too deep";

export type OracleAnswer =
  | {
      kind: "readings";
      readings: OracleReading[];
      /** A singular message field occurs twice. */
      merged: boolean;
      /** A known field number has a foreign wire type. */
      foreignWireType: boolean;
    }
  | { kind: "refused"; reason: OracleReason };

/** Decodes the bytes of a PublishReadingsRequest. */
export function decodeByTheBook(frame: Buffer, measurementFields: readonly number[]): OracleAnswer {
  const seen = { merged: false, foreignWireType: false };
  try {
    const readings = recordsOf(frame)
      .filter((record) => isKnown(record, 1, 2, seen))
      .map((record) => readingOf(record.bytes, measurementFields, seen));
    return { kind: "readings", readings, ...seen };
  } catch (error) {
    if (error instanceof Refused) return { kind: "refused", reason: error.reason };
    throw error;
  }
}

class Refused extends Error {
  readonly reason: OracleReason;
  constructor(reason: OracleReason) {
    super(reason);
    this.reason = reason;
  }
}

type Seen = { merged: boolean; foreignWireType: boolean };
type WireRecord = { field: number; wireType: number; number: bigint; bytes: Buffer };

function readingOf(bytes: Buffer, measurementFields: readonly number[], seen: Seen): OracleReading {
  const reading: OracleReading = { deviceId: Buffer.alloc(0), timestamp: undefined, measurement: undefined };
  for (const record of recordsOf(bytes)) {
    if (record.field === 1 && isKnown(record, 1, 2, seen)) reading.deviceId = record.bytes;
    if (record.field === 2 && isKnown(record, 2, 2, seen)) {
      if (reading.timestamp) seen.merged = true;
      reading.timestamp ??= { seconds: 0n, nanos: 0 };
      for (const part of recordsOf(record.bytes)) {
        if (isKnown(part, 1, 0, seen)) reading.timestamp.seconds = BigInt.asIntN(64, part.number);
        if (isKnown(part, 2, 0, seen)) reading.timestamp.nanos = Number(BigInt.asIntN(32, part.number));
      }
    }
    if (record.field === sensorValueField && isKnown(record, sensorValueField, 2, seen)) {
      if (reading.measurement?.field === sensorValueField) seen.merged = true;
      else reading.measurement = { field: sensorValueField, name: Buffer.alloc(0), value: undefined };
      for (const part of recordsOf(record.bytes)) {
        if (isKnown(part, 1, 2, seen)) reading.measurement.name = part.bytes;
        if (isKnown(part, 2, 1, seen)) reading.measurement.value = part.bytes.readDoubleLE();
      }
    }
    if (measurementFields.includes(record.field) && isKnown(record, record.field, 2, seen)) {
      if (reading.measurement?.field === record.field) seen.merged = true;
      else reading.measurement = { field: record.field, value: undefined };
      for (const part of recordsOf(record.bytes)) {
        if (isKnown(part, 1, 1, seen)) reading.measurement.value = part.bytes.readDoubleLE();
      }
    }
  }
  return reading;
}

function isKnown(record: WireRecord, field: number, wireType: number, seen: Seen): boolean {
  if (record.field !== field) return false;
  if (record.wireType !== wireType) seen.foreignWireType = true;
  return record.wireType === wireType;
}

function recordsOf(message: Buffer): WireRecord[] {
  const records: WireRecord[] = [];
  let rest = message;
  while (rest.length > 0) {
    const [record, after] = nextRecord(rest, 100);
    if (record.wireType === 4) throw new Refused("group not begun");
    records.push(record);
    rest = after;
  }
  return records;
}

function nextRecord(message: Buffer, depth: number): [WireRecord, Buffer] {
  const [tag, rest] = varintOf(message);
  if (message.length - rest.length > 5 || tag >= 1n << 32n)
    throw new Refused("tag longer than 5 bytes or 32 bits");
  const field = Number(tag >> 3n);
  const wireType = Number(tag & 7n);
  if (field === 0) throw new Refused("field number 0");
  if (wireType > 5) throw new Refused("wire type 6 or 7");
  const none = Buffer.alloc(0);
  if (wireType === 0) {
    const [number, after] = varintOf(rest);
    return [{ field, wireType, number, bytes: none }, after];
  }
  if (wireType === 3) return [{ field, wireType, number: 0n, bytes: none }, afterGroup(rest, field, depth)];
  if (wireType === 4) return [{ field, wireType, number: 0n, bytes: none }, rest];
  const [length, start] = wireType === 2 ? varintOf(rest) : [wireType === 1 ? 8n : 4n, rest];
  if (length > BigInt(start.length)) throw new Refused("truncated");
  const bytes = start.subarray(0, Number(length));
  return [{ field, wireType, number: 0n, bytes }, start.subarray(Number(length))];
}

function afterGroup(message: Buffer, field: number, depth: number): Buffer {
  if (depth === 0) throw new Refused("groups too deep");
  let rest = message;
  for (;;) {
    if (rest.length === 0) throw new Refused("truncated");
    const [record, after] = nextRecord(rest, depth - 1);
    rest = after;
    if (record.wireType !== 4) continue;
    if (record.field !== field) throw new Refused("group not ended");
    return rest;
  }
}

function varintOf(message: Buffer): [bigint, Buffer] {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = message[i];
    if (byte === undefined) throw new Refused("truncated");
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return [BigInt.asUintN(64, value), message.subarray(i + 1)];
  }
  throw new Refused("varint longer than 10 bytes");
}
