import type { SeriesPartial } from "@devicemesh/query";
import type { PartialSource } from "../database/store-sql.ts";
import type { SeriesRegistry } from "../series/series-registry.ts";
import type { Columns, DuckdbReaders } from "./duckdb-readers.ts";
import { valueColumns, valuesOf } from "./partials-reader.ts";
import { endRowsSql, mergeBySensorSql } from "./sensor-merge-sql.ts";

/** A partial of all devices whose first and last reading may still be replaced by another device's. */
type SensorPartial = { -readonly [Name in keyof SeriesPartial]: SeriesPartial[Name] } & {
  firsts: number;
  lasts: number;
};

/** The dependencies of reading. */
type Reading = {
  readonly sources: readonly PartialSource[];
  readonly registry: SeriesRegistry;
  readonly readers: DuckdbReaders;
};

/** Reads the result of the sources over all devices: one partial for each sensor and, if given, bucket. */
export async function readSensorPartials(
  reading: Reading,
  signal: AbortSignal,
): Promise<{ readonly partials: SeriesPartial[] }> {
  const { sources, registry, readers } = reading;
  const { sensors } = registry.catalog;
  const stored = registry.sensorCodes().map((code) => ({ code, sensor: sensors[code]?.sensor as string }));
  const partials: SensorPartial[] = [];
  await readers.readEach(
    `SELECT sensor_code::INTEGER, ${valueColumns(sources)}, first_series, last_series, firsts::DOUBLE, lasts::DOUBLE FROM (${mergeBySensorSql(sources, stored)})`,
    signal,
    (columns) => {
      for (const row of (columns[0] ?? []).keys()) partials.push(partialOf(columns, row, registry));
    },
  );
  await settleTies(reading, { end: "first", partials }, signal);
  await settleTies(reading, { end: "last", partials }, signal);
  return { partials: partials.map(({ firsts: _firsts, lasts: _lasts, ...partial }) => partial) };
}

function partialOf(columns: Columns, row: number, registry: SeriesRegistry): SensorPartial {
  const number = (column: number): number => columns[column]?.[row] as number;
  const spec = registry.catalog.sensors[number(0)];
  if (!spec) throw new Error(`the store has a sensor that is not in the catalog: code ${number(0)}`);
  return {
    deviceId: "",
    sensor: spec.sensor,
    ...valuesOf(columns, row),
    firstDeviceId: registry.get(number(14)).deviceId,
    lastDeviceId: registry.get(number(15)).deviceId,
    firsts: number(16),
    lasts: number(17),
  };
}

/**
 * Of readings at the same time, that of the smallest device_id is the first, and the last. The tables of partials have
 * no names, so the few candidate rows are compared here. A row that has arrived since is a candidate too.
 */
async function settleTies(
  { sources, registry, readers }: Reading,
  { end, partials }: { readonly end: "first" | "last"; readonly partials: readonly SensorPartial[] },
  signal: AbortSignal,
): Promise<void> {
  const [at, value, device, rows] =
    end === "first"
      ? (["firstAtMs", "firstValue", "firstDeviceId", "firsts"] as const)
      : (["lastAtMs", "lastValue", "lastDeviceId", "lasts"] as const);
  const tied = partials.filter((partial) => partial[rows] > 1);
  if (tied.length === 0) return;
  const byKey = new Map(
    tied.map((partial) => [`${partial.sensor} ${partial.bucketMs} ${partial[at]}`, partial]),
  );
  const timesMs = [...new Set(tied.map((partial) => partial[at]))];
  await readers.readEach(
    endRowsSql(sources, end, timesMs),
    signal,
    ([codes = [], buckets, times, values]) => {
      for (const [row, code] of codes.entries()) {
        const { deviceId, sensor } = registry.get(code as number);
        const partial = byKey.get(`${sensor} ${buckets?.[row]} ${times?.[row]}`);
        if (!partial || deviceId >= (partial[device] as string)) continue;
        partial[device] = deviceId;
        partial[value] = values?.[row] as number;
      }
    },
  );
}
