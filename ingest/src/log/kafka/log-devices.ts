import type { StoredText } from "./message-bytes.ts";
import { partitionOf } from "./murmur2.ts";

/** A device in a log: what each of its messages needs is found once. */
export type LogDevice = {
  readonly id: string;
  readonly partition: number;
  /** The text of its messages that is always the same, once one was written. */
  text: StoredText | undefined;
};

/** The devices of a log. */
export type LogDevices = {
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
  return {
    of(id) {
      const device = known.get(id);
      if (device !== undefined) return device;
      if (known.size >= rememberMax && ++misses > 8 * rememberMax) {
        known.clear();
        misses = 0;
      }
      const added = { id, partition: partitionOf(id, partitions), text: undefined };
      if (known.size < rememberMax) known.set(id, added);
      return added;
    },
  };
}
