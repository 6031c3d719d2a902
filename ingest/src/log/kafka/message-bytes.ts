import { isoMilliseconds, type SensorSpec } from "@devicemesh/proto";
import type { MessageBatch } from "../message-log.ts";
import type { LogDevice } from "./log-devices.ts";

/**
 * Writes the key and the value of a row of `device`, each after its length, and returns their end. The key is the
 * identity `device|sensor|ISO time`; the value is the DeviceMessage in JSON: `{"device_id","timestamp","sensor","value"}`
 * in this order, like JSON.stringify.
 */
export type MessageWriter = (
  into: DataView,
  start: number,
  batch: MessageBatch,
  row: number,
  device: LogDevice,
) => number;

/**
 * Maximum length of a record in a batch, in bytes: two device ids of 128 bytes, two times of 24, a sensor's name of 64
 * twice, a number of at most 24, the names of the fields, the lengths, and what `copyText` writes past a text.
 */
export const recordBytesMax = 592;

/** Creates a writer. Everything is ASCII: device ids and sensors by the contract's patterns. */
export function createMessageWriter(): MessageWriter {
  const texts = createTextMemory();
  const sensors: SensorTexts[] = [];
  const time = texts.add("0000-00-00T00:00:00.000Z");
  let day = Number.NaN;
  let second = Number.NaN;

  function setSecond(rowSecond: number): void {
    const rowDay = Math.floor(rowSecond / daySeconds);
    if (rowDay !== day) {
      day = rowDay;
      writeText(time.view, time.start, isoMilliseconds(rowDay * daySeconds * 1000).slice(0, 10));
    }
    second = rowSecond;
    const seconds = rowSecond - rowDay * daySeconds;
    const minutes = (seconds / 60) | 0;
    const hours = (minutes / 60) | 0;
    setTwoDigits(time.view, time.start + 11, hours);
    setTwoDigits(time.view, time.start + 14, minutes - hours * 60);
    setTwoDigits(time.view, time.start + 17, seconds - minutes * 60);
  }

  /** The milliseconds are written here only: the next copy of the time would wait for bytes that were just written. */
  function writeTime(into: DataView, start: number, millis: number): number {
    const end = copyText(into, start, time.view, time.start, timeBytes);
    const tens = (millis / 10) | 0;
    setTwoDigits(into, end - 4, tens);
    into.setUint8(end - 2, zero + millis - tens * 10);
    return end;
  }

  function sensorOf({ sensors: specs, sensorCodes }: MessageBatch, row: number): SensorTexts {
    const code = sensorCodes[row] as number;
    const spec = specs[code] as SensorSpec;
    let known = sensors[code];
    if (known?.spec !== spec) {
      const inKey = texts.add(`|${spec.sensor}|`);
      known = { spec, inKey, inValue: texts.add(`","sensor":"${spec.sensor}","value":`) };
      sensors[code] = known;
    }
    return known;
  }

  return (into, start, batch, row, device) => {
    const { inKey, inValue } = sensorOf(batch, row);
    device.text ??= texts.add(`${beforeDevice}${device.id}${beforeTime}`);
    const { view, start: textAt, length } = device.text;
    const ms = batch.timestampsMs[row] as number;
    const rowSecond = Math.floor(ms / 1000);
    if (rowSecond !== second) setSecond(rowSecond);
    const millis = ms - rowSecond * 1000;
    const deviceBytes = length - beforeDevice.length - beforeTime.length;

    let pos = writeVarint(into, start, deviceBytes + inKey.length + timeBytes);
    pos = copyText(into, pos, view, textAt + beforeDevice.length, deviceBytes);
    pos = copyText(into, pos, inKey.view, inKey.start, inKey.length);
    pos = writeTime(into, pos, millis);

    // Its length takes two bytes, because a value has 64 to 8191.
    const valueStart = pos + 2;
    pos = copyText(into, valueStart, view, textAt, length);
    pos = writeTime(into, pos, millis);
    pos = copyText(into, pos, inValue.view, inValue.start, inValue.length);
    pos = writeNumber(into, pos, batch.values[row] as number);
    into.setUint8(pos++, 125); // }
    writeVarint(into, valueStart - 2, pos - valueStart);
    return pos;
  };
}

type SensorTexts = { readonly spec: SensorSpec; readonly inKey: StoredText; readonly inValue: StoredText };

const daySeconds = 86_400;
const timeBytes = 24;
const beforeDevice = '{"device_id":"';
const beforeTime = '","timestamp":"';
const zero = 48;

/** An ASCII text in memory. */
export type StoredText = { readonly view: DataView; readonly start: number; readonly length: number };

/** Stores texts one after the other in pieces of memory, which live as long as any text in them. */
function createTextMemory(): { add(text: string): StoredText } {
  let view = new DataView(new ArrayBuffer(pieceBytes));
  let used = 0;
  return {
    add(text) {
      // copyText reads past the end.
      const bytes = text.length + wordBytes;
      if (used + bytes > view.byteLength) {
        view = new DataView(new ArrayBuffer(pieceBytes));
        used = 0;
      }
      const stored = { view, start: used, length: text.length };
      writeText(view, used, text);
      used += bytes;
      return stored;
    },
  };
}

/** Of one piece of memory; a text of a device or sensor has some hundred bytes at most. */
const pieceBytes = 16 * 1024;
const wordBytes = 8;

/**
 * Copies eight bytes at a time, as doubles, and so up to seven bytes past the end, which the next write replaces. The
 * bytes of ASCII are never those of NaN, the only double that a copy may change.
 */
function copyText(into: DataView, start: number, from: DataView, fromStart: number, length: number): number {
  for (let i = 0; i < length; i += wordBytes) {
    into.setFloat64(start + i, from.getFloat64(fromStart + i, true), true);
  }
  return start + length;
}

function writeText(into: DataView, start: number, text: string): number {
  for (let i = 0; i < text.length; i++) into.setUint8(start + i, text.charCodeAt(i));
  return start + text.length;
}

/** Writes a non-negative number below 2^30, in zigzag. */
export function writeVarint(into: DataView, start: number, value: number): number {
  let pos = start;
  let rest = value << 1;
  while (rest > 0x7f) {
    into.setUint8(pos++, (rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  into.setUint8(pos++, rest);
  return pos;
}

/**
 * Writes a finite number like JSON.stringify: the shortest text that is the same double everywhere. Zero has no sign:
 * Kafka Connect would lose it, and Spark would not.
 */
function writeNumber(into: DataView, start: number, value: number): number {
  const thousandths = Math.round(value * 1000);
  // Most sensors report up to three decimals. With at most nine digits, no shorter text can be the same double.
  if (thousandths > -1e9 && thousandths < 1e9 && thousandths / 1000 === value) {
    let pos = start;
    if (thousandths < 0) into.setUint8(pos++, 45); // -
    return writeThousandths(into, pos, Math.abs(thousandths));
  }
  return writeText(into, start, String(value));
}

function writeThousandths(into: DataView, start: number, thousandths: number): number {
  const whole = (thousandths / 1000) | 0;
  let digits = 1;
  for (let power = 10; power <= whole; power *= 10) digits++;
  const pointAt = start + digits;
  for (let pos = pointAt - 1, rest = whole; pos >= start; pos--) {
    const tenth = (rest / 10) | 0;
    into.setUint8(pos, zero + rest - tenth * 10);
    rest = tenth;
  }
  const fraction = thousandths - whole * 1000;
  if (fraction === 0) return pointAt;
  const tens = (fraction / 10) | 0;
  const last = fraction - tens * 10;
  into.setUint8(pointAt, 46); // .
  setTwoDigits(into, pointAt + 1, tens);
  if (last !== 0) {
    into.setUint8(pointAt + 3, zero + last);
    return pointAt + 4;
  }
  return tens % 10 === 0 ? pointAt + 2 : pointAt + 3;
}

function setTwoDigits(into: DataView, at: number, value: number): void {
  const tens = (value / 10) | 0;
  into.setUint8(at, zero + tens);
  into.setUint8(at + 1, zero + value - tens * 10);
}
