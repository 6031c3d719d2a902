import { influxColumns } from "../formats/row.ts";
import { plainName, sensorOfColumn } from "./column-name.ts";
import type { KnownSensor, SensorLookup } from "./sensor-lookup.ts";

/** The role of a column. */
export type ColumnRole =
  /** Times, dates or times of day; the plan of times distinguishes them. */
  | { readonly kind: "time" }
  | { readonly kind: "device" }
  /** The names of sensors, with a column of values. */
  | { readonly kind: "sensor-name" }
  /** Values whose sensor is in another column. */
  | { readonly kind: "value" }
  /** The units of these values. */
  | { readonly kind: "unit" }
  /** InfluxDB's measurement. */
  | { readonly kind: "measurement" }
  /** The values of one sensor, with the unit that the file states. */
  | { readonly kind: "sensor"; readonly sensor: KnownSensor; readonly unit: string | undefined }
  /** No role: its numbers count as values of an unknown sensor, its texts are not read. */
  | { readonly kind: "unknown" }
  | { readonly kind: "unread" };

/** Names of columns, the most specific ones first. */
const timeNames =
  "_time timestamp time datetime date_time ts date timestamp_utc time_utc last_changed last_updated start start_time start_date recorded_at measured_at observed_at created_at event_time zeit datum zeitstempel utc local_time epoch unix unixtime unix_time fecha fecha_hora date_heure tijd tijdstip dato tid tidpunkt data data_ora data_hora hora czas cas aika дата время 时间 時間 日時 日期".split(
    " ",
  );
const deviceNames =
  "device_id device deviceid device_name entity_id statistic_id sensor_id station_id stations_id station node_id node thing_id thing host hostname mac mac_address serial serial_number uuid capteur sonde geraet dispositivo id name".split(
    " ",
  );
const sensorNames =
  "sensor sensor_name _field field metric parameter variable measurement quantity property grandeur parametre parametro messgroesse magnitud type kind".split(
    " ",
  );
const valueNames =
  "value _value state reading val mean measurement_value result wert messwert valeur valor valore waarde".split(
    " ",
  );
const unitNames = "unit units unit_of_measurement uom einheit unite unidad unita eenheid".split(" ");
const unreadNames = new Set(
  "location lat lon lng latitude longitude altitude elevation index row row_number record no nr number unnamed_0 result table _start _stop".split(
    " ",
  ),
);

/**
 * Returns the rank of a column name for times: the lower, the more likely; undefined if the name does not suggest
 * times.
 */
export function timeRank(name: string): number | undefined {
  return (
    rankIn(timeNames, name) ??
    (/(^|_)(time|timestamp|datetime|date|datum|zeit|epoch|ts)(_|$)/.test(plainName(name)) ? 100 : undefined)
  );
}

/** The same for devices. Of a nested object only a name that cannot be another thing's: `meta.device_id`. */
export function deviceRank(name: string): number | undefined {
  const member = name.slice(name.lastIndexOf(".") + 1);
  const nested = member === name ? undefined : rankIn(deviceNames, member);
  const isClear = nested !== undefined && nested < deviceNames.indexOf("id");
  return rankIn(deviceNames, name) ?? (isClear ? nested + deviceNames.length : undefined);
}

/** The same for names of sensors. */
export function sensorNameRank(name: string): number | undefined {
  return rankIn(sensorNames, name);
}

/** The same for values. */
export function valueRank(name: string): number | undefined {
  return rankIn(valueNames, name);
}

/** The same for units; also of a nested object: `attributes.unit_of_measurement`. */
export function unitRank(name: string): number | undefined {
  return rankIn(unitNames, name) ?? rankIn(unitNames, name.slice(name.lastIndexOf(".") + 1));
}

/** Returns the role of a column that is none of time, device, sensor name, value and unit. */
export function otherRole(name: string, lookup: SensorLookup): ColumnRole {
  if (name === influxColumns.measurement) return { kind: "measurement" };
  if (unreadNames.has(nameKey(name)) || name === "") return { kind: "unread" };
  const found = sensorOfColumn(name, lookup);
  return found === undefined ? { kind: "unknown" } : { kind: "sensor", ...found };
}

/** Normalizes a name for comparison; InfluxDB's own columns keep their underscore. */
function nameKey(name: string): string {
  return /^_[a-z]+$/.test(name) ? name : plainName(name);
}

function rankIn(names: readonly string[], name: string): number | undefined {
  const at = names.indexOf(nameKey(name));
  return at < 0 ? undefined : at;
}
