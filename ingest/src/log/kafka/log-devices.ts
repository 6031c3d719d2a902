import type { MessageBatch } from "../message-log.ts";
import type { StoredText } from "./message-bytes.ts";
import { partitionOf } from "./murmur2.ts";

/** A device in a log: what each of its messages needs is found once. */
export type LogDevice = {
  readonly id: string;
  readonly partition: number;
  /** The text of its messages that is always the same, once one was written. */
  text: StoredText | undefined;
};

/** The rows of a batch by partition, in the order of the batch. Those of partition `p` end before `ends[p]`. */
export type SortedRows = {
  readonly rows: readonly number[];
  readonly ends: readonly number[];
  /** The device of each row of the batch. */
  readonly devices: readonly LogDevice[];
};

/** The devices of a log. */
export type LogDevices = {
  sort(batch: MessageBatch): SortedRows;
  /** Returns the device; the same object again while it is remembered. */
  of(deviceId: string): LogDevice;
};

/** Maximum number of remembered devices: at most 24 MiB. */
const devicesMax = 65_536;

/**
 * Creates the devices of a log with this number of partitions. It remembers the first ones; others work too, only
 * slower. When others have been asked for many times, it begins again, so that a new fleet replaces an old one.
 */
export function createLogDevices({
  partitions,
  rememberMax = devicesMax,
}: {
  readonly partitions: number;
  readonly rememberMax?: number;
}): LogDevices {
  const known = new Map<string, LogDevice>();
  let misses = 0;

  function of(id: string): LogDevice {
    const device = known.get(id);
    if (device !== undefined) return device;
    if (known.size >= rememberMax && ++misses > 8 * rememberMax) {
      known.clear();
      misses = 0;
    }
    const added = { id, partition: partitionOf(id, partitions), text: undefined };
    if (known.size < rememberMax) known.set(id, added);
    return added;
  }

  return {
    of,
    sort({ length, deviceIds }) {
      const devices = new Array<LogDevice>(length);
      const ends = new Array<number>(partitions).fill(0);
      for (let row = 0; row < length; row++) {
        const device = of(deviceIds[row] as string);
        devices[row] = device;
        ends[device.partition] = (ends[device.partition] as number) + 1;
      }
      let end = 0;
      for (let partition = 0; partition < partitions; partition++) {
        end += ends[partition] as number;
        ends[partition] = end;
      }
      // Backwards from the ends, which makes each of them the start of its partition, that is the end of the one before.
      const rows = new Array<number>(length);
      for (let row = length - 1; row >= 0; row--) {
        const { partition } = devices[row] as LogDevice;
        const place = (ends[partition] as number) - 1;
        ends[partition] = place;
        rows[place] = row;
      }
      ends.push(length);
      ends.shift();
      return { rows, ends, devices };
    },
  };
}
