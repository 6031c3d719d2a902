/** The devices of the store, numbered in order of arrival. */
export type DeviceTable = {
  /** Returns the number of a device, or undefined. */
  find(deviceId: string): number | undefined;
  /** Returns the number of a device, a new one if it is unknown. */
  add(deviceId: string): number;
};

/** Creates a table without devices. */
export function createDeviceTable(): DeviceTable {
  const numbers = Array.from({ length: shards }, () => new Map<string, number>());
  let size = 0;

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
      shard.set(deviceId, size);
      return size++;
    },
  };
}

/** The codes of series by device and sensor. Keys are numbers: no string is made or hashed to look one up. */
export type SeriesCodes = {
  /** Returns the code of the series, or undefined. */
  get(device: number, sensorCode: number): number | undefined;
  /** Adds a series that does not exist yet. */
  add(device: number, sensorCode: number, code: number): void;
};

/** A map of a million keys takes 100 ms to grow, at once; each map of this size takes a millisecond. */
const shards = 64;

/**
 * Creates an empty table. The first `denseSensors` sensors are looked up by index, at 4 bytes a device each, because
 * most devices have them; all others by hash, at about 20 bytes a series.
 */
export function createSeriesCodes(denseSensors: number): SeriesCodes {
  let dense = new Int32Array(256 * denseSensors).fill(-1);
  const hashed = Array.from({ length: shards }, createHashedCodes);
  const shardOf = (device: number) => hashed[device & (shards - 1)] as SeriesCodes;
  return {
    get(device, sensorCode) {
      if (sensorCode >= denseSensors) return shardOf(device).get(device, sensorCode);
      // Beyond the end for a device without any dense series.
      const code = dense[device * denseSensors + sensorCode] ?? -1;
      return code < 0 ? undefined : code;
    },
    add(device, sensorCode, code) {
      if (sensorCode >= denseSensors) {
        shardOf(device).add(device, sensorCode, code);
        return;
      }
      const place = device * denseSensors + sensorCode;
      if (place >= dense.length) {
        const larger = new Int32Array(Math.max(dense.length * 2, place + denseSensors)).fill(-1);
        larger.set(dense);
        dense = larger;
      }
      dense[place] = code;
    },
  };
}

/** Open addressing with linear probing, at most half full. */
function createHashedCodes(): SeriesCodes {
  let devices = new Int32Array(16);
  let sensorCodes = new Uint16Array(16);
  let codes = new Int32Array(16).fill(-1);
  let size = 0;

  /** Returns the slot of the key, or the free one for it. */
  function placeOf(device: number, sensorCode: number): number {
    const mask = codes.length - 1;
    let hash = Math.imul(device, 0x9e3779b1) ^ Math.imul(sensorCode + 1, 0x85ebca6b);
    hash ^= hash >>> 15;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      if (codes[place] === -1 || (devices[place] === device && sensorCodes[place] === sensorCode))
        return place;
    }
  }

  function put(device: number, sensorCode: number, code: number): void {
    const place = placeOf(device, sensorCode);
    devices[place] = device;
    sensorCodes[place] = sensorCode;
    codes[place] = code;
  }

  function grow(): void {
    const [oldDevices, oldSensorCodes, oldCodes] = [devices, sensorCodes, codes];
    devices = new Int32Array(oldCodes.length * 2);
    sensorCodes = new Uint16Array(oldCodes.length * 2);
    codes = new Int32Array(oldCodes.length * 2).fill(-1);
    for (const [place, code] of oldCodes.entries()) {
      if (code !== -1) put(oldDevices[place] as number, oldSensorCodes[place] as number, code);
    }
  }

  return {
    get(device, sensorCode) {
      const code = codes[placeOf(device, sensorCode)] as number;
      return code === -1 ? undefined : code;
    },
    add(device, sensorCode, code) {
      if (size * 2 >= codes.length) grow();
      put(device, sensorCode, code);
      size++;
    },
  };
}
