import { createSensorCatalog, frameReadingsMax, isTyped, type SensorCatalog } from "@devicemesh/proto";
import {
  asInt64,
  createSensorNames,
  type InternedNames,
  MalformedError,
  pastEnd,
  readLength,
  readTag,
  readVarint,
  skipValue,
  type Varint,
  wireTypes,
} from "./wire.ts";

/**
 * The decoded readings of a frame, in columns. They belong to the decoder, which reuses them for the next frame.
 */
export type FrameColumns = {
  /** Number of readings; the columns are longer. */
  length: number;
  /** The device id, or the beginning of an invalid one. */
  readonly deviceIds: string[];
  /** 1 if the device id is valid. */
  readonly deviceIdsValid: Uint8Array;
  /** 1 if there is a timestamp. */
  readonly timestampsSet: Uint8Array;
  /** Exact up to 2^53; beyond it, the nearest Number. */
  readonly seconds: Float64Array;
  readonly nanos: Int32Array;
  /** A code of the sensor catalog, or one of `noSensor`, `unknownSensor` and `invalidSensor`. */
  readonly sensorCodes: Uint16Array;
  /** 1 if the measurement is a SensorValue, which names its sensor. */
  readonly sensorsNamed: Uint8Array;
  /** The name if it is unknown, or the beginning of an invalid one; otherwise undefined contents. */
  readonly sensorNames: string[];
  /** 1 if the measurement has its value: a missing value is not 0. */
  readonly valuesSet: Uint8Array;
  readonly values: Float64Array;
};

/** The code in FrameColumns.sensorCodes of a reading without a measurement. */
export const noSensor = 65_535;

/** The code of a SensorValue whose name is not in the catalog. */
export const unknownSensor = 65_534;

/** The code of a SensorValue whose name does not match the contract's pattern, or is not set. */
export const invalidSensor = 65_533;

/** Number of bytes that are kept of an invalid device id or sensor name, so that users recognize it. */
export const invalidNameBytesMax = 128;

/** The result of decoding a frame. `text` describes the malformed part and its position. */
export type DecodedFrame =
  | { readonly kind: "columns"; readonly columns: FrameColumns }
  | { readonly kind: "malformed"; readonly text: string }
  | { readonly kind: "tooManyReadings" };

/** Decodes the bytes of a frame. */
export type FrameDecoder = (frame: Buffer) => DecodedFrame;

/**
 * Creates a decoder of PublishReadingsRequest (and of PublishReadingBatchRequest: the bytes are the same) that
 * allocates no object for a reading. It accepts every legal encoding: any order, repeated singular fields (the last one
 * wins, messages merge, of a oneof the last member wins), unknown fields, overlong numbers. A known field number with a
 * foreign wire type is an unknown field.
 */
export function createFrameDecoder({
  deviceIds,
  sensorNames = createSensorNames(),
  catalog = createSensorCatalog(),
  readingsMax = frameReadingsMax,
}: {
  readonly deviceIds: InternedNames;
  readonly sensorNames?: InternedNames;
  /** The built-in one by default. */
  readonly catalog?: SensorCatalog;
  readonly readingsMax?: number;
}): FrameDecoder {
  const columns = createColumns(readingsMax);
  const typed = catalog.sensors.filter(isTyped);
  const measurementTags = typed.map((sensor) => tagOf(sensor.measurementField, wireTypes.bytes));
  const valueTags = typed.map((sensor) => tagOf(sensor.valueField, wireTypes.bit64));
  const codeOfTag = new Uint16Array(Math.max(0, ...measurementTags) + 1).fill(noSensor);
  measurementTags.forEach((tag, code) => {
    codeOfTag[tag] = code;
  });
  const varint: Varint = { low: 0, high: 0 };

  function readReading(frame: Buffer, view: DataView, start: number, end: number, row: number): void {
    columns.deviceIds[row] = "";
    columns.deviceIdsValid[row] = 0;
    columns.timestampsSet[row] = 0;
    columns.seconds[row] = 0;
    columns.nanos[row] = 0;
    columns.sensorCodes[row] = noSensor;
    columns.sensorsNamed[row] = 0;
    columns.valuesSet[row] = 0;
    columns.values[row] = 0;
    let pos = start;
    while (pos < end) {
      pos = readTag(frame, pos, end, varint);
      const tag = varint.low;
      if ((tag & 7) !== wireTypes.bytes) {
        pos = skipValue(frame, pos, end, tag, varint);
        continue;
      }
      pos = readLength(frame, pos, end, varint);
      const fieldEnd = pos + varint.low;
      if (tag === deviceIdTag) readDeviceId(frame, view, pos, fieldEnd, row);
      else if (tag === timestampTag) readTimestamp(frame, pos, fieldEnd, row);
      else if (tag >= 0 && tag < codeOfTag.length && codeOfTag[tag] !== noSensor) {
        readMeasurement(frame, view, pos, fieldEnd, row, codeOfTag[tag]!);
      } else if (tag === sensorValueTag) readSensorValue(frame, view, pos, fieldEnd, row);
      pos = fieldEnd;
    }
  }

  function readDeviceId(frame: Buffer, view: DataView, start: number, end: number, row: number): void {
    const id = deviceIds.intern(frame, view, start, end);
    columns.deviceIdsValid[row] = id === undefined ? 0 : 1;
    columns.deviceIds[row] = id ?? beginningOf(frame, start, end);
  }

  function readTimestamp(frame: Buffer, start: number, end: number, row: number): void {
    columns.timestampsSet[row] = 1;
    let pos = start;
    while (pos < end) {
      pos = readTag(frame, pos, end, varint);
      const tag = varint.low;
      if (tag === secondsTag) {
        pos = readVarint(frame, pos, end, varint);
        columns.seconds[row] = asInt64(varint);
      } else if (tag === nanosTag) {
        pos = readVarint(frame, pos, end, varint);
        columns.nanos[row] = varint.low;
      } else pos = skipValue(frame, pos, end, tag, varint);
    }
  }

  function readMeasurement(
    frame: Buffer,
    view: DataView,
    start: number,
    end: number,
    row: number,
    code: number,
  ): void {
    if (columns.sensorCodes[row] !== code || columns.sensorsNamed[row] === 1) {
      columns.sensorCodes[row] = code;
      columns.sensorsNamed[row] = 0;
      columns.valuesSet[row] = 0;
    }
    const valueTag = valueTags[code]!;
    let pos = start;
    while (pos < end) {
      pos = readTag(frame, pos, end, varint);
      const tag = varint.low;
      if (tag === valueTag) {
        if (end - pos < 8) throw pastEnd("a field", pos);
        columns.values[row] = view.getFloat64(pos, true);
        columns.valuesSet[row] = 1;
        pos += 8;
      } else pos = skipValue(frame, pos, end, tag, varint);
    }
  }

  function readSensorValue(frame: Buffer, view: DataView, start: number, end: number, row: number): void {
    if (columns.sensorsNamed[row] === 0) {
      columns.sensorsNamed[row] = 1;
      columns.sensorCodes[row] = invalidSensor;
      columns.sensorNames[row] = "";
      columns.valuesSet[row] = 0;
    }
    let pos = start;
    while (pos < end) {
      pos = readTag(frame, pos, end, varint);
      const tag = varint.low;
      if (tag === nameTag) {
        pos = readLength(frame, pos, end, varint);
        const nameEnd = pos + varint.low;
        readSensorName(frame, view, pos, nameEnd, row);
        pos = nameEnd;
      } else if (tag === namedValueTag) {
        if (end - pos < 8) throw pastEnd("a field", pos);
        columns.values[row] = view.getFloat64(pos, true);
        columns.valuesSet[row] = 1;
        pos += 8;
      } else pos = skipValue(frame, pos, end, tag, varint);
    }
  }

  function readSensorName(frame: Buffer, view: DataView, start: number, end: number, row: number): void {
    const name = sensorNames.intern(frame, view, start, end);
    const code = name === undefined ? invalidSensor : (catalog.codeOfNamed(name) ?? unknownSensor);
    columns.sensorCodes[row] = code;
    if (code >= invalidSensor) columns.sensorNames[row] = name ?? beginningOf(frame, start, end);
  }

  function readFrame(frame: Buffer): DecodedFrame {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
    const end = frame.length;
    let row = 0;
    let pos = 0;
    while (pos < end) {
      pos = readTag(frame, pos, end, varint);
      const tag = varint.low;
      if (tag !== readingsTag) {
        pos = skipValue(frame, pos, end, tag, varint);
        continue;
      }
      if (row === readingsMax) return { kind: "tooManyReadings" };
      pos = readLength(frame, pos, end, varint);
      const readingEnd = pos + varint.low;
      readReading(frame, view, pos, readingEnd, row++);
      pos = readingEnd;
    }
    columns.length = row;
    return { kind: "columns", columns };
  }

  return (frame) => {
    try {
      return readFrame(frame);
    } catch (error) {
      if (error instanceof MalformedError) return { kind: "malformed", text: error.message };
      throw error;
    }
  };
}

// Field numbers of the contract that are not in a table: PublishReadingsRequest.readings, Reading.device_id,
// Reading.timestamp, Timestamp.seconds, Timestamp.nanos, Reading.sensor_value, SensorValue.sensor and
// SensorValue.value. A test compares them with the descriptors.
const readingsTag = tagOf(1, wireTypes.bytes);
const deviceIdTag = tagOf(1, wireTypes.bytes);
const timestampTag = tagOf(2, wireTypes.bytes);
const secondsTag = tagOf(1, wireTypes.varint);
const nanosTag = tagOf(2, wireTypes.varint);
const sensorValueTag = tagOf(15, wireTypes.bytes);
const nameTag = tagOf(1, wireTypes.bytes);
const namedValueTag = tagOf(2, wireTypes.bit64);

function tagOf(field: number, wireType: number): number {
  return field * 8 + wireType;
}

function createColumns(size: number): FrameColumns {
  return {
    length: 0,
    deviceIds: new Array<string>(size).fill(""),
    deviceIdsValid: new Uint8Array(size),
    timestampsSet: new Uint8Array(size),
    seconds: new Float64Array(size),
    nanos: new Int32Array(size),
    sensorCodes: new Uint16Array(size),
    sensorsNamed: new Uint8Array(size),
    sensorNames: new Array<string>(size).fill(""),
    valuesSet: new Uint8Array(size),
    values: new Float64Array(size),
  };
}

function beginningOf(frame: Buffer, start: number, end: number): string {
  return frame.toString("utf8", start, Math.min(end, start + invalidNameBytesMax));
}
