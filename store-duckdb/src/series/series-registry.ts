import { createSensorCatalog, isTyped, type SensorCatalog, type SensorName } from "@devicemesh/proto";
import { compareSeries } from "@devicemesh/query/plan/series-order";
import { createSeriesOrder } from "./series-order.ts";
import {
  createDeviceTable,
  createLatestTimestamps,
  createSeriesCodes,
  type StoredRows,
} from "./series-tables.ts";

/** One series and its code in the store's tables. */
export type RegisteredSeries = {
  readonly code: number;
  readonly deviceId: string;
  readonly sensor: SensorName;
};

/** A place in the order of series. */
export type SeriesPlace = { readonly deviceId: string; readonly sensor: string };

/**
 * The series of the store, by device and sensor, with the latest timestamp of each. Its size depends on the number of
 * series, never on the readings: about 150 bytes each.
 */
export type SeriesRegistry = {
  /** Returns the code of a series; assigns a new one if it is unknown. `sensorCode` is that of the catalog. */
  codeOf(deviceId: string, sensorCode: number): number;
  /** Whether the series has a code, stored or not. */
  has(deviceId: string, sensorCode: number): boolean;
  /** Returns the code of a stored series, or undefined. */
  find(deviceId: string, sensor: string): number | undefined;
  /** Returns the series of a code. */
  get(code: number): RegisteredSeries;
  /** Returns the catalog's code of the sensor of a series. */
  sensorCodeOf(code: number): number;
  /** Whether the device_id of a series comes before that of another, by UTF-16 code units. */
  isDeviceBefore(code: number, other: number): boolean;
  /**
   * Whether the timestamp (ms) is later than that of every reading of the series that is stored or pending; if so, no
   * other reading up to it counts as later from now on. Queries see it once it is stored.
   */
  advance(code: number, timestampMs: number): boolean;
  /** Whether the timestamp (ms) is later than that of every known reading of the series. */
  isLatest(deviceId: string, sensorCode: number, timestampMs: number): boolean;
  /**
   * Marks the series with codes below `count` as stored, and their readings, whose timestamps queries see from then on.
   */
  markSaved(count: number, readings?: StoredRows): void;
  /** Number of stored series: those with the first codes. */
  readonly saved: number;
  /** Number of series with a code, stored or not. */
  readonly size: number;
  /**
   * Returns at most `limit` stored series of these sensors (all if empty) in the order (device_id, sensor), after
   * `after`.
   */
  page(request: {
    readonly sensors: readonly string[];
    readonly after?: SeriesPlace | undefined;
    readonly limit: number;
    /** Only these; all if left out. */
    readonly where?: (series: RegisteredSeries) => boolean;
  }): RegisteredSeries[];
  /** Returns the number of stored series of these sensors (all if empty). */
  count(sensors: readonly string[]): number;
  /**
   * Returns the stored series with the codes [from, to), of these sensors (all if empty), each with its latest
   * timestamp (ms).
   */
  visit(
    span: { readonly from: number; readonly to: number; readonly sensors: readonly string[] },
    visitor: (series: SeriesPlace & { readonly sensor: SensorName; readonly latestMs: number }) => void,
  ): void;
  /** Returns the codes of the stored series of one device. */
  codesOfDevice(deviceId: string): readonly number[];
  /**
   * Returns a number that changes whenever a reading of these devices (all if empty) and sensors (all if empty) is
   * stored.
   */
  lastChange(deviceIds: readonly string[], sensors: readonly string[]): number;
  /** Returns the codes of the sensors that have series, stored or not. */
  sensorCodes(): readonly number[];
  readonly catalog: SensorCatalog;
};

/** A series as it is stored. */
export type StoredSeries = RegisteredSeries & {
  /** The timestamp (ms) of its latest reading; -Infinity if it has none. */
  readonly latestMs: number;
};

/**
 * Creates a registry from the stored series, whose codes are 0, 1, 2, ... in this order. `sortedCodes` are the codes in
 * the order (device_id, sensor), if known. A stored sensor that the catalog does not have is added to it, with the unit
 * that `unitOf` returns.
 */
export function createSeriesRegistry(
  stored: Iterable<StoredSeries>,
  {
    catalog = createSensorCatalog(),
    sortedCodes,
    unitOf = () => "",
  }: {
    /** The built-in one by default. */
    readonly catalog?: SensorCatalog;
    readonly sortedCodes?: ArrayLike<number> | undefined;
    readonly unitOf?: ((sensor: SensorName) => string) | undefined;
  } = {},
): SeriesRegistry {
  const { sensors } = catalog;
  const devices = createDeviceTable();
  const deviceIds: string[] = [];
  const seriesCodes = createSeriesCodes(sensors.filter(isTyped).length);
  /** The number of series of each sensor, and of its stored ones. */
  const ofSensor: { all: number; saved: number }[] = [];
  let deviceOf = new Int32Array(1024);
  let sensorOf = new Uint16Array(1024);
  const latest = createLatestTimestamps();
  let size = 0;
  let saved = 0;

  function nameOf(code: number): SensorName {
    return sensors[sensorOf[code] as number]?.sensor as SensorName;
  }

  function compare(a: number, b: number): number {
    const [deviceA, deviceB] = [deviceOf[a] as number, deviceOf[b] as number];
    if (deviceA !== deviceB) return (deviceIds[deviceA] as string) < (deviceIds[deviceB] as string) ? -1 : 1;
    const [sensorA, sensorB] = [nameOf(a), nameOf(b)];
    return sensorA < sensorB ? -1 : sensorA > sensorB ? 1 : 0;
  }

  function grow(): void {
    const capacity = size * 2;
    const [oldDevices, oldSensors] = [deviceOf, sensorOf];
    deviceOf = new Int32Array(capacity);
    deviceOf.set(oldDevices);
    sensorOf = new Uint16Array(capacity);
    sensorOf.set(oldSensors);
  }

  function add(deviceId: string, sensorCode: number): number {
    if (!sensors[sensorCode]) throw new RangeError(`no sensor has the code ${sensorCode}`);
    if (size === deviceOf.length) grow();
    const code = size++;
    const device = devices.add(deviceId);
    deviceIds[device] = deviceId;
    seriesCodes.add(device, sensorCode, code);
    deviceOf[code] = device;
    sensorOf[code] = sensorCode;
    const counts = ofSensor[sensorCode];
    if (counts) counts.all++;
    else ofSensor[sensorCode] = { all: 1, saved: 0 };
    return code;
  }

  function known(deviceId: string, sensorCode: number): number | undefined {
    const device = devices.find(deviceId);
    return device === undefined ? undefined : seriesCodes.get(device, sensorCode);
  }

  function get(code: number): RegisteredSeries {
    if (!(code >= 0 && code < size)) throw new RangeError(`no series has the code ${code}`);
    return { code, deviceId: deviceIds[deviceOf[code] as number] as string, sensor: nameOf(code) };
  }

  function markSaved(count: number, readings?: StoredRows): void {
    for (; saved < count; saved++) (ofSensor[sensorOf[saved] as number] as { saved: number }).saved++;
    if (readings) latest.store(readings);
  }

  function sensorCodes(): readonly number[] {
    return [...ofSensor.keys()].filter((sensorCode) => ofSensor[sensorCode] !== undefined);
  }

  for (const series of stored) {
    const sensorCode =
      catalog.codeOf(series.sensor) ?? catalog.addStored(series.sensor, unitOf(series.sensor));
    if (add(series.deviceId, sensorCode) !== series.code)
      throw new Error(`the store's series are not numbered without gaps: ${series.code}`);
    latest.store({ length: 1, series: [series.code], timestampsMs: [series.latestMs] });
  }
  markSaved(size);
  const order = createSeriesOrder(
    compare,
    sortedCodes ?? Array.from({ length: size }, (_, code) => code).sort(compare),
  );

  return {
    codeOf(deviceId, sensorCode) {
      const code = known(deviceId, sensorCode);
      if (code !== undefined) return code;
      const added = add(deviceId, sensorCode);
      order.add(added);
      return added;
    },
    has: (deviceId, sensorCode) => known(deviceId, sensorCode) !== undefined,
    find(deviceId, sensor) {
      const sensorCode = catalog.codeOf(sensor);
      const code = sensorCode === undefined ? undefined : known(deviceId, sensorCode);
      return code === undefined || code >= saved ? undefined : code;
    },
    get,
    sensorCodeOf: (code) => sensorOf[code] as number,
    isDeviceBefore(code, other) {
      const device = deviceOf[code] as number;
      const otherDevice = deviceOf[other] as number;
      return device !== otherDevice && (deviceIds[device] as string) < (deviceIds[otherDevice] as string);
    },
    advance: latest.advance,
    isLatest(deviceId, sensorCode, timestampMs) {
      const code = known(deviceId, sensorCode);
      return code === undefined || timestampMs > latest.known(code);
    },
    markSaved,
    get saved() {
      return saved;
    },
    get size() {
      return size;
    },
    page({ sensors: wanted, after, limit, where = () => true }) {
      const names = new Set(wanted);
      const found: RegisteredSeries[] = [];
      const isBefore = (code: number): boolean => after !== undefined && compareSeries(get(code), after) <= 0;
      for (const code of order.from(isBefore)) {
        if (found.length >= limit) break;
        if (code >= saved) continue;
        if (names.size > 0 && !names.has(nameOf(code))) continue;
        const series = get(code);
        if (where(series)) found.push(series);
      }
      return found;
    },
    count(wanted) {
      if (wanted.length === 0) return saved;
      const codes = new Set(wanted.map((sensor) => catalog.codeOf(sensor)));
      return [...codes].reduce<number>(
        (sum, code) => sum + (code === undefined ? 0 : (ofSensor[code]?.saved ?? 0)),
        0,
      );
    },
    visit({ from, to, sensors: wanted }, visitor) {
      const codes = new Set(wanted.map((sensor) => catalog.codeOf(sensor)));
      for (let code = from; code < Math.min(to, saved); code++) {
        const sensorCode = sensorOf[code] as number;
        if (wanted.length > 0 && !codes.has(sensorCode)) continue;
        visitor({
          deviceId: deviceIds[deviceOf[code] as number] as string,
          sensor: nameOf(code),
          latestMs: latest.stored(code),
        });
      }
    },
    codesOfDevice(deviceId) {
      const device = devices.find(deviceId);
      if (device === undefined) return [];
      return sensorCodes()
        .map((sensorCode) => seriesCodes.get(device, sensorCode) ?? saved)
        .filter((code) => code < saved);
    },
    lastChange(deviceIds, wanted) {
      if (deviceIds.length === 0) return latest.changes;
      const codes =
        wanted.length === 0 ? sensorCodes() : wanted.flatMap((sensor) => catalog.codeOf(sensor) ?? []);
      let last = 0;
      for (const deviceId of deviceIds) {
        const device = devices.find(deviceId);
        if (device === undefined) continue;
        for (const sensorCode of codes) {
          const code = seriesCodes.get(device, sensorCode);
          if (code !== undefined) last = Math.max(last, latest.lastChange(code));
        }
      }
      return last;
    },
    sensorCodes,
    catalog,
  };
}
