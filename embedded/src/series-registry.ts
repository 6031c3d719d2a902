import { type SensorName, sensors } from "@devicemesh/proto";

/** One series and its code in the store's tables. */
export type RegisteredSeries = {
  readonly code: number;
  readonly deviceId: string;
  readonly sensor: SensorName;
};

/**
 * The series of the store, by device and sensor, with the latest timestamp of each. Grows with the number
 * of series, never with the readings: about 200 bytes each.
 */
export type SeriesRegistry = {
  /** The code of a series; a new one is given if it is unknown. `sensorCode` is its place in `sensors`. */
  codeOf(deviceId: string, sensorCode: number): number;
  /** The code of a series, or undefined. */
  find(deviceId: string, sensor: string): number | undefined;
  /** The series of a code. */
  get(code: number): RegisteredSeries;
  /**
   * Whether the timestamp (ms) is later than that of every reading of the series that the store holds or is
   * about to hold; if so, it is the latest from now on.
   */
  advance(code: number, timestampMs: number): boolean;
  /** The series that are not stored yet. */
  unsaved(): readonly RegisteredSeries[];
  /** Tells that the first `count` series are stored. */
  markSaved(count: number): void;
  /** All series given codes so far, stored or not. */
  readonly size: number;
  /** The stored series in the order (device_id, sensor). */
  sorted(): readonly RegisteredSeries[];
  /** The codes of the stored series of one device. */
  codesOfDevice(deviceId: string): readonly number[];
};

/** Makes a registry from the stored series, whose codes are 0, 1, 2, ... in some order. */
export function createSeriesRegistry(
  stored: readonly (RegisteredSeries & { readonly latestMs: number })[],
): SeriesRegistry {
  const sensorCodes = new Map<string, number>(sensors.map((spec, code) => [spec.sensor, code]));
  const byDevice = new Map<string, number[]>();
  const all: RegisteredSeries[] = [];
  let latest = new Float64Array(1024).fill(Number.NEGATIVE_INFINITY);
  let saved = 0;
  let sortedCache: readonly RegisteredSeries[] | undefined;

  function add(deviceId: string, sensorCode: number): number {
    const code = all.length;
    const spec = sensors[sensorCode];
    if (!spec) throw new RangeError(`no sensor has the code ${sensorCode}`);
    all.push({ code, deviceId, sensor: spec.sensor });
    let codes = byDevice.get(deviceId);
    if (!codes) {
      codes = new Array<number>(sensors.length).fill(-1);
      byDevice.set(deviceId, codes);
    }
    codes[sensorCode] = code;
    if (code >= latest.length) {
      const larger = new Float64Array(latest.length * 2).fill(Number.NEGATIVE_INFINITY);
      larger.set(latest);
      latest = larger;
    }
    return code;
  }

  for (const series of stored.toSorted((a, b) => a.code - b.code)) {
    const sensorCode = sensorCodes.get(series.sensor);
    if (sensorCode === undefined)
      throw new Error(`the store has a sensor that the contract has not: ${series.sensor}`);
    const code = add(series.deviceId, sensorCode);
    if (code !== series.code)
      throw new Error(`the store's series are not numbered without gaps: ${series.code}`);
    latest[code] = series.latestMs;
  }
  saved = all.length;

  return {
    codeOf(deviceId, sensorCode) {
      const code = byDevice.get(deviceId)?.[sensorCode];
      return code === undefined || code < 0 ? add(deviceId, sensorCode) : code;
    },
    find(deviceId, sensor) {
      const sensorCode = sensorCodes.get(sensor);
      const code = sensorCode === undefined ? undefined : byDevice.get(deviceId)?.[sensorCode];
      return code === undefined || code < 0 || code >= saved ? undefined : code;
    },
    get(code) {
      const series = all[code];
      if (!series) throw new RangeError(`no series has the code ${code}`);
      return series;
    },
    advance(code, timestampMs) {
      if (timestampMs <= (latest[code] as number)) return false;
      latest[code] = timestampMs;
      return true;
    },
    unsaved: () => all.slice(saved),
    markSaved(count) {
      if (count !== saved) sortedCache = undefined;
      saved = count;
    },
    get size() {
      return all.length;
    },
    sorted() {
      sortedCache ??= all.slice(0, saved).sort(byDeviceThenSensor);
      return sortedCache;
    },
    codesOfDevice: (deviceId) => (byDevice.get(deviceId) ?? []).filter((code) => code >= 0 && code < saved),
  };
}

/** The order (device_id, sensor), by UTF-16 code units. */
export function byDeviceThenSensor(
  a: { readonly deviceId: string; readonly sensor: string },
  b: { readonly deviceId: string; readonly sensor: string },
): number {
  if (a.deviceId !== b.deviceId) return a.deviceId < b.deviceId ? -1 : 1;
  if (a.sensor === b.sensor) return 0;
  return a.sensor < b.sensor ? -1 : 1;
}
