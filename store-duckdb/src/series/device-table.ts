/** The devices of the store, numbered as they come. */
export type DeviceTable = {
  /** The number of a device, or undefined. */
  find(deviceId: string): number | undefined;
  /** The number of a device, a new one if it is unknown. */
  add(deviceId: string): number;
  idOf(device: number): string;
};

/** A map of a million keys takes 100 ms to grow, at once; one of these, some. */
const shards = 64;

/** Makes a table without devices. */
export function createDeviceTable(): DeviceTable {
  const numbers = Array.from({ length: shards }, () => new Map<string, number>());
  const ids: string[] = [];

  function shardOf(deviceId: string): Map<string, number> {
    const { length } = deviceId;
    const hash =
      deviceId.charCodeAt(length - 1) +
      31 * deviceId.charCodeAt(length - 2) +
      7 * deviceId.charCodeAt(length >> 1);
    return numbers[hash & (shards - 1)] as Map<string, number>;
  }

  return {
    find: (deviceId) => shardOf(deviceId).get(deviceId),
    add(deviceId) {
      const shard = shardOf(deviceId);
      const known = shard.get(deviceId);
      if (known !== undefined) return known;
      const device = ids.length;
      ids.push(deviceId);
      shard.set(deviceId, device);
      return device;
    },
    idOf: (device) => ids[device] as string,
  };
}
