import type { TimeForm } from "../time/time-form.ts";
import { plainName } from "./column-name.ts";

/** The knowledge about a common kind of file, which is recognized by the names of its columns. */
export type Preset = {
  readonly name: string;
  /** The column of values; found by its name if undefined. */
  readonly value?: string;
  /** Columns that are not read. */
  readonly unread?: readonly string[];
  /** The zone of times without a zone. */
  readonly zone?: string;
  /** The form of the times, where their digits alone do not show it. */
  readonly times?: TimeForm;
  /** The sensors of columns whose names are codes, by their plain names. */
  readonly sensors?: Readonly<Record<string, string>>;
  /** Texts that mean that a value is missing. */
  readonly missing?: readonly string[];
  /** Whether values are tenths, with a mark of their quality behind a comma: `+0067,5` is 6.7. */
  readonly isTenths?: boolean;
  /** The units that the file does not state, by sensor. */
  readonly units?: Readonly<Record<string, string>>;
  /** Whether values are in the units of the catalog, unless the file or the user states another unit. */
  readonly hasOwnUnits?: boolean;
  /** Whether the ids of devices end in the names of sensors. */
  readonly isEntities?: boolean;
};

const presets: readonly (Preset & { readonly columns: readonly string[] })[] = [
  {
    name: "Home Assistant history",
    columns: ["entity_id", "state", "last_changed"],
    value: "state",
    unread: ["last_updated"],
    isEntities: true,
  },
  {
    name: "Home Assistant statistics",
    columns: ["statistic_id", "start", "mean"],
    value: "mean",
    unread: ["min", "max", "sum", "state", "change", "last_reset", "end"],
    isEntities: true,
  },
  {
    name: "Home Assistant statistics of meters",
    columns: ["statistic_id", "start", "state"],
    value: "state",
    unread: ["min", "max", "sum", "change", "last_reset", "end"],
    isEntities: true,
  },
  // The archive of sensor.community: times in UTC, pressures in Pa.
  {
    name: "sensor.community",
    columns: ["sensor_id", "sensor_type", "lat", "lon", "timestamp"],
    unread: ["sensor_type", "location", "lat", "lon", "altitude", "pressure_sealevel"],
    zone: "UTC",
    units: { pressure: "Pa" },
  },
  {
    name: "DWD (Deutscher Wetterdienst)",
    columns: ["stations_id", "mess_datum"],
    zone: "UTC",
    times: { kind: "compact-hours" },
    missing: ["-999"],
    // `p` is reduced to sea level.
    unread: ["p", "eor", "qn", "qn_3", "qn_4", "qn_8", "qn_9"],
    sensors: sensorsOf(
      "temperature tt_tu tt_10 tmk|humidity rf_tu rf_10 upm|pressure p0 pp_10 pm|dew_point td_10|wind_speed f ff_10 fm|wind_direction d dd_10|rain r1 rws_10 rsk",
    ),
  },
  {
    name: "NOAA daily summaries (GSOD)",
    columns: ["station", "date", "temp", "temp_attributes"],
    zone: "UTC",
    missing: ["9999.9", "999.9", "99.99"],
    // `stp` has lost its first digit from 1000 hPa on, and `slp` is reduced to sea level.
    unread: ["slp", "stp", "temp_attributes", "dewp_attributes", "slp_attributes", "stp_attributes"],
    sensors: sensorsOf("temperature temp|dew_point dewp|wind_speed wdsp|rain prcp"),
    units: { temperature: "°F", dew_point: "°F", wind_speed: "kn", rain: "in" },
  },
  {
    name: "NOAA integrated surface data",
    columns: ["station", "date", "report_type", "tmp"],
    zone: "UTC",
    missing: ["+9999,9"],
    unread: ["slp", "call_sign", "source"],
    sensors: sensorsOf("temperature tmp|dew_point dew"),
    units: { temperature: "°C", dew_point: "°C" },
    isTenths: true,
  },
  // Home Assistant writes the unit to InfluxDB as the measurement, and the id of the entity as a tag.
  { name: "InfluxDB of Home Assistant", columns: ["_measurement", "entity_id"], isEntities: true },
  { name: "InfluxDB", columns: ["_time", "_measurement"] },
  { name: "flat readings", columns: ["device_id", "timestamp", "sensor", "value"], hasOwnUnits: true },
];

/** The sensors by column, of a text with the columns of each sensor. */
function sensorsOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split("|").flatMap((part) => {
      const [sensor = "", ...columns] = part.split(" ");
      return columns.map((column) => [column, sensor] as const);
    }),
  );
}

/** Returns the preset of a file with these columns. */
export function presetOf(names: readonly string[]): Preset | undefined {
  const plain = new Set(names.flatMap((name) => [name, plainName(name)]));
  return presets.find(({ columns }) => columns.every((column) => plain.has(column)));
}
