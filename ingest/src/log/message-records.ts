import { isoMilliseconds, type SensorName } from "@devicemesh/proto";
import type { MessageBatch } from "./message-log.ts";

/** A message as the log keeps it. */
export type MessageRecord = {
  /** Its identity: `device|sensor|ISO time`. */
  readonly key: Buffer;
  /** The DeviceMessage: `{"device_id","timestamp","sensor","value"}` in JSON, in this order. */
  readonly value: Buffer;
};

/** Makes the record of one row of a batch. */
export type MessageRecords = (batch: MessageBatch, row: number) => MessageRecord;

/**
 * The most bytes that key and value of one record have together: two device ids of 128 bytes, two times of 24, a
 * sensor's name of 64 twice, a number of at most 24, and the names of the fields.
 */
export const recordBytesMax = 576;

/** Encodes records; it remembers the text of the last second, since neighbours often share it. */
export function createMessageRecords(): MessageRecords {
  const texts = new Map<SensorName, SensorTexts>();

  function textsOf(sensor: SensorName): SensorTexts {
    const known = texts.get(sensor);
    if (known) return known;
    const made = { middle: `Z","sensor":"${sensor}","value":`, name: `|${sensor}|` };
    texts.set(sensor, made);
    return made;
  }

  let second = Number.NaN;
  let secondText = "";
  return (batch, row) => {
    const timestampMs = batch.timestampsMs[row] as number;
    const rowSecond = Math.floor(timestampMs / 1000);
    if (rowSecond !== second) {
      second = rowSecond;
      secondText = isoMilliseconds(rowSecond * 1000).slice(0, -"000Z".length);
    }
    const time = secondText + threeDigits[timestampMs - rowSecond * 1000];
    const deviceId = batch.deviceIds[row] as string;
    const sensor = batch.sensors[batch.sensorCodes[row] as number]?.sensor as SensorName;
    const { middle, name } = textsOf(sensor);
    // The shortest text that is the same double everywhere. Zero has no sign: Kafka Connect would lose it, Spark not.
    const number = String(batch.values[row] as number);
    // Everything is ASCII: device ids and sensors by the contract's patterns. Latin-1 is the quickest way to bytes.
    return {
      key: Buffer.from(`${deviceId}${name}${time}Z`, "latin1"),
      value: Buffer.from(`{"device_id":"${deviceId}","timestamp":"${time}${middle}${number}}`, "latin1"),
    };
  };
}

type SensorTexts = { readonly middle: string; readonly name: string };

const threeDigits = Array.from({ length: 1000 }, (_, ms) => String(ms).padStart(3, "0"));
