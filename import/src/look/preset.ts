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
  // Home Assistant writes the unit to InfluxDB as the measurement, and the id of the entity as a tag.
  { name: "InfluxDB of Home Assistant", columns: ["_measurement", "entity_id"], isEntities: true },
  { name: "InfluxDB", columns: ["_time", "_measurement"] },
  { name: "flat readings", columns: ["device_id", "timestamp", "sensor", "value"], hasOwnUnits: true },
];

/** Returns the preset of a file with these columns. */
export function presetOf(names: readonly string[]): Preset | undefined {
  const plain = new Set(names.flatMap((name) => [name, plainName(name)]));
  return presets.find(({ columns }) => columns.every((column) => plain.has(column)));
}
