// The tables of the registry, which grow with the series: devices by id, codes by device and sensor, latest timestamps.

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

/**
 * The latest timestamp (ms) of each series, -Infinity if there is none: of the stored readings, which queries see, and
 * of all readings that were ever to be stored, which separates new readings from those that must be looked up.
 */
export type LatestTimestamps = {
  /** The latest of the stored readings. */
  stored(code: number): number;
  /** The latest of the readings that are stored, pending, or were rejected: nothing later is stored. */
  known(code: number): number;
  /** Raises the known one; returns false if the timestamp is not later. */
  advance(code: number, timestampMs: number): boolean;
  /** Records stored readings. */
  store(rows: StoredRows): void;
  /** Number of times that readings were stored. */
  readonly changes: number;
  /** The number of the change that stored the last reading of the series; 0 for none. */
  lastChange(code: number): number;
};

/** Readings by column; the first `length` rows count. */
export type StoredRows = {
  readonly length: number;
  /** The codes of their series. */
  readonly series: ArrayLike<number>;
  readonly timestampsMs: ArrayLike<number>;
};

/** Creates the timestamps of no series; grows with the codes, 24 bytes each. */
export function createLatestTimestamps(): LatestTimestamps {
  let stored = new Float64Array(1024).fill(Number.NEGATIVE_INFINITY);
  // A failed commit does not lower it: if its rows are stored all the same, they are looked up when they are sent
  // again, and stored once.
  let known = stored.slice();
  let changedAt = new Float64Array(1024);
  let changes = 0;

  function reserve(code: number): void {
    if (code < known.length) return;
    const capacity = Math.max(known.length * 2, code + 1);
    stored = grown(stored, capacity, Number.NEGATIVE_INFINITY);
    known = grown(known, capacity, Number.NEGATIVE_INFINITY);
    changedAt = grown(changedAt, capacity, 0);
  }
  function advance(code: number, timestampMs: number): boolean {
    reserve(code);
    if (timestampMs <= (known[code] as number)) return false;
    known[code] = timestampMs;
    return true;
  }

  return {
    stored: (code) => stored[code] ?? Number.NEGATIVE_INFINITY,
    known: (code) => known[code] ?? Number.NEGATIVE_INFINITY,
    advance,
    store({ length, series, timestampsMs }) {
      changes++;
      for (let row = 0; row < length; row++) {
        const code = series[row] as number;
        const timestampMs = timestampsMs[row] as number;
        advance(code, timestampMs);
        if (timestampMs > (stored[code] as number)) stored[code] = timestampMs;
        changedAt[code] = changes;
      }
    },
    get changes() {
      return changes;
    },
    lastChange: (code) => changedAt[code] ?? 0,
  };
}

function grown(
  column: Float64Array<ArrayBuffer>,
  capacity: number,
  initial: number,
): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(capacity).fill(initial);
  larger.set(column);
  return larger;
}
