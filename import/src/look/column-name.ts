import { conversionOf, unitOf } from "../units/units.ts";
import type { KnownSensor, SensorLookup } from "./sensor-lookup.ts";

/** A column that is named after a sensor, and the unit that its name states. */
export type SensorColumn = { readonly sensor: KnownSensor; readonly unit: string | undefined };

/** What columns of recordings are called, beside the names in the catalog. */
const columnAliases: Readonly<Record<string, readonly string[]>> = {
  temperature: ["t", "temp", "tmp", "temperatur", "temperatura", "tair", "ta", "air_temp", "temperature_air"],
  humidity: [
    "rh",
    "h",
    "hum",
    "humid",
    "relative_humidity",
    "rel_humidity",
    "relhum",
    "feuchte",
    "luftfeuchtigkeit",
  ],
  pressure: [
    "p",
    "press",
    "baro",
    "barometer",
    "barometric_pressure",
    "atmospheric_pressure",
    "luftdruck",
    "air_pressure",
  ],
  heart_rate: ["hr", "bpm", "heartrate", "heart_rate_bpm", "pulse", "puls"],
  illuminance: ["light", "lux", "lx", "light_level", "helligkeit"],
  co2: ["co2_level", "carbon_dioxide", "eco2"],
  pm10: ["p1", "pm_10"],
  pm2_5: ["p2", "pm25", "pm_2_5", "pm_25"],
};

const aliasOf = new Map(
  Object.entries(columnAliases).flatMap(([sensor, aliases]) =>
    aliases.map((alias) => [alias, sensor] as const),
  ),
);

/** Words that change nothing about what is measured. */
const qualifiers =
  /^(?:air|ambient|relative|sensor|avg|average|mean)_(?=.)|(?<=.)_(?:avg|average|mean|value|sensor|reading)$/g;

/** A name in lower case, with `_` between its words: `heartRate`, `Heart Rate` and `heart-rate` are `heart_rate`. */
export function plainName(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}]+/gu, "_")
    .replace(/^_+|_+$/g, "");
}

/** The sensor that a name means: a column's, a field's, or what stands in a column of sensors. */
export function sensorOfName(name: string, lookup: SensorLookup): KnownSensor | undefined {
  const plain = plainName(name);
  const bare = plain.replace(qualifiers, "");
  for (const candidate of new Set([plain, bare])) {
    const found = lookup.find(candidate) ?? lookup.find(aliasOf.get(candidate) ?? "");
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The sensor of a column, if it is named after one: `Temperature [°F]`, `temp_c`, `Pressure hPa`, `Temp, °C (S/N 1)`,
 * `env.humidity`. A name with anything else in it, such as `soil temperature` or `Temperature (attic)`, is not.
 */
export function sensorOfColumn(name: string, lookup: SensorLookup): SensorColumn | undefined {
  const found = findSensorColumn(name, lookup);
  return found === undefined || isNotReadUnasked(found.sensor) ? undefined : found;
}

/**
 * Where a table has such a column, it says where a device stands, or it is a label: which state 1 stands for is not
 * known. They are read where they are asked for.
 */
export function isNotReadUnasked({ sensor, unit, minimum, maximum }: KnownSensor): boolean {
  return placeSensors.has(sensor) || (unit === "1" && minimum === 0 && maximum === 1);
}

const placeSensors = new Set(["latitude", "longitude", "altitude"]);

function findSensorColumn(name: string, lookup: SensorLookup): SensorColumn | undefined {
  const whole = sensorOfName(name, lookup);
  if (whole !== undefined && !/[[(]/.test(name)) return { sensor: whole, unit: undefined };
  for (const { base, unit } of splitUnit(name)) {
    const sensor = sensorOfName(base, lookup);
    if (sensor !== undefined && unitOf(unit) !== undefined) return { sensor, unit: unit.trim() };
  }
  const member = /^.*\.([^.]+)$/.exec(name)?.[1];
  return member === undefined ? undefined : findSensorColumn(member, lookup);
}

/** The unit that a column's name states, if it can be a unit of that sensor: of `Attic (°F)` °F. */
export function unitInName(name: string, { unit }: KnownSensor): string | undefined {
  return splitUnit(name)
    .find((part) => conversionOf(part.unit, unit) !== undefined)
    ?.unit.trim();
}

/**
 * The sensor that an entity of Home Assistant measures, by the end of its id: of `sensor.living_room_temperature` the
 * longest end that is the name of a sensor.
 */
export function sensorOfEntity(entity: string, lookup: SensorLookup): KnownSensor | undefined {
  const words = plainName(entity.replace(/^.*[.:]/, "")).split("_");
  for (let from = 0; from < words.length; from++) {
    const found = sensorOfName(words.slice(from).join("_"), lookup);
    // Single letters at the end of an id are numbers of a kind, not sensors.
    if (found !== undefined && words.slice(from).join("_").length > 2) return found;
  }
  return undefined;
}

/** Where the unit may be in a name. */
function splitUnit(name: string): { readonly base: string; readonly unit: string }[] {
  const patterns = [
    /^(.*?)[\s_]*[[(]([^\])]+)[\])]\s*$/,
    /^([^,]+),\s*([^(]+?)\s*(?:\(.*)?$/,
    /^(.+?)[\s_-]+in[\s_-]+(\S+)$/i,
  ];
  const found = patterns.flatMap((pattern) => {
    const parts = pattern.exec(name);
    return parts === null ? [] : [{ base: parts[1]!, unit: parts[2]! }];
  });
  // The unit as the last word or the last two: temp_c, wind speed km/h, pressure in hg.
  for (const match of name.matchAll(/[\s_-]+/g)) {
    found.push({
      base: name.slice(0, match.index),
      unit: name.slice(match.index + match[0].length).replaceAll("_", " "),
    });
  }
  const camel = /^(.*[a-z])([A-Z][A-Za-z]*)$/.exec(name);
  if (camel !== null) found.push({ base: camel[1]!, unit: camel[2]! });
  return found;
}
