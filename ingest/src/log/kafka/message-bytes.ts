import { isoMilliseconds, type SensorSpec } from "@devicemesh/proto";
import type { MessageBatch } from "../message-log.ts";

/** Writes messages in the format of the topic, one after the other, without a string for each. */
export type MessageBytes = {
  /** Selects a row of a batch. */
  load(batch: MessageBatch, row: number): void;
  /** Length of the key of this row in bytes. */
  readonly keyBytes: number;
  /** Writes the key, its identity `device|sensor|ISO time`, and returns its end. */
  writeKey(into: Uint8Array, start: number): number;
  /**
   * Writes the value, the DeviceMessage in JSON: `{"device_id","timestamp","sensor","value"}` in this order, like
   * JSON.stringify, and returns its end.
   */
  writeValue(into: Uint8Array, start: number): number;
};

/**
 * Maximum length of a record in a batch, in bytes: two device ids of 128 bytes, two times of 24, a sensor's name of 64
 * twice, a number of at most 24, the names of the fields, and the lengths.
 */
export const recordBytesMax = 592;

/** Everything is ASCII: device ids and sensors by the contract's patterns. */
export function createMessageBytes(): MessageBytes {
  const time = ascii("0000-00-00T00:00:00.000Z");
  const sensors: SensorTexts[] = [];
  let day = Number.NaN;
  let timestampMs = Number.NaN;
  let deviceId = "";
  let value = 0;
  let sensor: SensorTexts = textsOf({ sensor: "" } as SensorSpec);

  function setTime(ms: number): void {
    if (ms === timestampMs) return;
    timestampMs = ms;
    const rowDay = Math.floor(ms / dayMs);
    if (rowDay !== day) {
      day = rowDay;
      time.set(ascii(isoMilliseconds(rowDay * dayMs).slice(0, 10)));
    }
    const rest = ms - rowDay * dayMs;
    const seconds = (rest / 1000) | 0;
    const millis = rest - seconds * 1000;
    const minutes = (seconds / 60) | 0;
    const hours = (minutes / 60) | 0;
    setTwoDigits(time, 11, hours);
    setTwoDigits(time, 14, minutes - hours * 60);
    setTwoDigits(time, 17, seconds - minutes * 60);
    const tens = (millis / 10) | 0;
    setTwoDigits(time, 20, tens);
    time[22] = 48 + millis - tens * 10;
  }

  return {
    load(batch, row) {
      setTime(batch.timestampsMs[row] as number);
      deviceId = batch.deviceIds[row] as string;
      value = batch.values[row] as number;
      const code = batch.sensorCodes[row] as number;
      const spec = batch.sensors[code] as SensorSpec;
      let texts = sensors[code];
      if (texts === undefined || texts.spec !== spec) {
        texts = textsOf(spec);
        sensors[code] = texts;
      }
      sensor = texts;
    },
    get keyBytes() {
      return deviceId.length + sensor.inKey.length + time.length;
    },
    writeKey(into, start) {
      let pos = copyText(into, start, deviceId);
      pos = copyBytes(into, pos, sensor.inKey);
      return copyBytes(into, pos, time);
    },
    writeValue(into, start) {
      let pos = copyBytes(into, start, beforeDevice);
      pos = copyText(into, pos, deviceId);
      pos = copyBytes(into, pos, beforeTime);
      pos = copyBytes(into, pos, time);
      pos = copyBytes(into, pos, sensor.inValue);
      pos = writeNumber(into, pos, value);
      into[pos++] = 125; // }
      return pos;
    },
  };
}

type SensorTexts = {
  readonly spec: SensorSpec;
  readonly inKey: Uint8Array;
  readonly inValue: Uint8Array;
};

function textsOf(spec: SensorSpec): SensorTexts {
  return { spec, inKey: ascii(`|${spec.sensor}|`), inValue: ascii(`","sensor":"${spec.sensor}","value":`) };
}

const dayMs = 86_400_000;
const beforeDevice = ascii('{"device_id":"');
const beforeTime = ascii('","timestamp":"');

/**
 * Writes a finite number like JSON.stringify: the shortest text that is the same double everywhere. Zero has no sign:
 * Kafka Connect would lose it, and Spark would not.
 */
function writeNumber(into: Uint8Array, start: number, value: number): number {
  const thousandths = Math.round(value * 1000);
  // Most sensors report up to three decimals. With at most nine digits, no shorter text can be the same double.
  if (thousandths > -1e9 && thousandths < 1e9 && thousandths / 1000 === value) {
    let pos = start;
    if (thousandths < 0) into[pos++] = 45; // -
    return writeThousandths(into, pos, Math.abs(thousandths));
  }
  return copyText(into, start, String(value));
}

function writeThousandths(into: Uint8Array, start: number, thousandths: number): number {
  const whole = (thousandths / 1000) | 0;
  let digits = 1;
  for (let power = 10; power <= whole; power *= 10) digits++;
  const pointAt = start + digits;
  for (let pos = pointAt - 1, rest = whole; pos >= start; pos--) {
    const tenth = (rest / 10) | 0;
    into[pos] = 48 + rest - tenth * 10;
    rest = tenth;
  }
  const fraction = thousandths - whole * 1000;
  if (fraction === 0) return pointAt;
  into[pointAt] = 46; // .
  const tens = (fraction / 10) | 0;
  setTwoDigits(into, pointAt + 1, tens);
  into[pointAt + 3] = 48 + fraction - tens * 10;
  let end = pointAt + 4;
  while (into[end - 1] === 48) end--;
  return end;
}

function setTwoDigits(into: Uint8Array, at: number, value: number): void {
  const tens = (value / 10) | 0;
  into[at] = 48 + tens;
  into[at + 1] = 48 + value - tens * 10;
}

// By hand: for texts this short, a call into the engine costs more than the copy.
function copyText(into: Uint8Array, start: number, text: string): number {
  for (let i = 0; i < text.length; i++) into[start + i] = text.charCodeAt(i);
  return start + text.length;
}

function copyBytes(into: Uint8Array, start: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) into[start + i] = bytes[i] as number;
  return start + bytes.length;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
