/** The devices of the store, numbered as they come, with the codes of the series of each. */
export type DeviceTable = {
  /** The number of a device, or undefined. */
  find(deviceId: string): number | undefined;
  /** The number of a device, a new one if it is unknown. */
  add(deviceId: string): number;
  idOf(device: number): string;
  /** The code of a series of the device, or undefined. */
  seriesOf(device: number, sensorCode: number): number | undefined;
  setSeries(device: number, sensorCode: number, code: number): void;
};

/** A map of a million keys takes 100 ms to grow, at once; one of these, some. */
const shards = 64;

/** Makes a table without devices. */
export function createDeviceTable(sensorCount: number): DeviceTable {
  const numbers = Array.from({ length: shards }, () => new Map<string, number>());
  const ids: string[] = [];
  let codes = new Int32Array(256 * sensorCount).fill(-1);

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
      if ((device + 1) * sensorCount > codes.length) {
        const larger = new Int32Array(codes.length * 2).fill(-1);
        larger.set(codes);
        codes = larger;
      }
      return device;
    },
    idOf: (device) => ids[device] as string,
    seriesOf(device, sensorCode) {
      const code = codes[device * sensorCount + sensorCode] as number;
      return code < 0 ? undefined : code;
    },
    setSeries(device, sensorCode, code) {
      codes[device * sensorCount + sensorCode] = code;
    },
  };
}
