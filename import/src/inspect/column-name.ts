import { conversionOf, unitOf } from "../units/units.ts";
import type { KnownSensor, SensorLookup } from "./sensor-lookup.ts";

/** A column with the name of a sensor, and the unit in its name. */
export type SensorColumn = { readonly sensor: KnownSensor; readonly unit: string | undefined };

/** Common names of columns in recordings, besides the names in the catalog. */
const columnAliases: Readonly<Record<string, readonly string[]>> = {
  temperature: [
    "t",
    "temp",
    "tmp",
    "temperatur",
    "temperatura",
    "temperatuur",
    "tair",
    "ta",
    "air_temp",
    "temperature_air",
    "dry_bulb_temperature",
    "teplota",
    "homerseklet",
    "lampotila",
    "температура",
    "温度",
    "溫度",
    "気温",
    "气温",
  ],
  humidity: [
    "rh",
    "h",
    "hum",
    "humid",
    "relative_humidity",
    "rel_humidity",
    "rhum",
    "relhum",
    "feuchte",
    "feuchtigkeit",
    "luftfeuchte",
    "luftfeuchtigkeit",
    "humidite",
    "humedad",
    "umidita",
    "umidade",
    "luftfuktighet",
    "luftfugtighed",
    "luchtvochtigheid",
    "vochtigheid",
    "wilgotnosc",
    "vlhkost",
    "kosteus",
    "влажность",
    "湿度",
    "濕度",
  ],
  pressure: [
    "p",
    "press",
    "baro",
    "barometer",
    "barometric_pressure",
    "atmospheric_pressure",
    "luftdruck",
    "pression",
    "presion",
    "pressione",
    "pressao",
    "air_pressure",
    "lufttryck",
    "lufttrykk",
    "lufttryk",
    "luchtdruk",
    "cisnienie",
    "tlak",
    "давление",
    "气压",
    "氣壓",
    "気圧",
  ],
  heart_rate: ["hr", "bpm", "heartrate", "heart_rate_bpm", "pulse", "puls", "herzfrequenz", "心率", "心拍数"],
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

/** Names of Apple Health: HKQuantityTypeIdentifierHeartRate. */
export const appleHealth = /^HK(?:Quantity|Category)TypeIdentifier/;

/** Words that do not change the meaning of a measurement. */
const qualifiers =
  /^(?:air|ambient|relative|surface|sensor|avg|average|mean)_(?=.)|(?<=.)_(?:avg|average|mean|value|sensor|reading|2m)$/g;

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

/** Returns the sensor that a name means: the name of a column, of a field, or a value in a column of sensors. */
export function sensorOfName(name: string, lookup: SensorLookup): KnownSensor | undefined {
  const plain = plainName(name.replace(appleHealth, ""));
  const bare = plain.replace(qualifiers, "");
  for (const candidate of new Set([plain, bare])) {
    const found = lookup.find(candidate) ?? lookup.find(aliasOf.get(candidate) ?? "");
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Returns the sensor of a column, if it is named after one: `Temperature [°F]`, `temp_c`, `Pressure hPa`, `Temp, °C
 * (S/N 1)`, `env.humidity`. A name with additional words, such as `soil temperature` or `Temperature (attic)`, is not.
 */
export function sensorOfColumn(name: string, lookup: SensorLookup): SensorColumn | undefined {
  const found = findSensorColumn(name, lookup);
  return found === undefined || isNotReadUnasked(found.sensor) ? undefined : found;
}

/**
 * In a table, such a column gives the location of a device, or it is a label whose state 1 is unknown. They are read
 * only on request.
 */
export function isNotReadUnasked({ sensor, unit, minimum, maximum }: KnownSensor): boolean {
  return placeSensors.has(sensor) || (unit === "1" && minimum === 0 && maximum === 1);
}

const placeSensors = new Set(["latitude", "longitude", "altitude"]);

function findSensorColumn(name: string, lookup: SensorLookup): SensorColumn | undefined {
  const whole = sensorOfName(name, lookup);
  if (whole !== undefined && !/[[(]/.test(name)) return { sensor: whole, unit: undefined };
  for (const { base, unit, isMarked } of splitUnit(name)) {
    if (unitOf(unit) === undefined) continue;
    const sensor = sensorOfName(base, lookup) ?? sensorOfName(withoutUnit(base, unit), lookup);
    // `pm2.5_atm` does not state a pressure, and `co_mg/m3` states a unit.
    const isStated = isMarked || /[/°³%]/.test(unit);
    if (sensor !== undefined && (isStated || conversionOf(unit, sensor.unit) !== undefined))
      return { sensor, unit: unit.trim() };
  }
  return memberSensor(name, lookup);
}

/** The sensor of a member of a nested object: that of both names (`wind.speed`), or that of the member alone. */
function memberSensor(name: string, lookup: SensorLookup): SensorColumn | undefined {
  const [, parents = "", parent = "", member] = /^(.*\.)?([^.]+)\.([^.]+)$/.exec(name) ?? [];
  if (member === undefined) return undefined;
  const both = sensorOfName(`${parent}_${member}`, lookup);
  if (both !== undefined) return { sensor: both, unit: undefined };
  const path = plainName(parents + parent);
  if (otherQuantity.test(path)) return undefined;
  const found = findSensorColumn(member, lookup);
  const isOfAir = found !== undefined && airSensors.has(found.sensor.sensor);
  return isOfAir && otherMedium.test(path) ? undefined : found;
}

/** Names of objects whose members are no measurements, and of media whose temperature is not that of the air. */
const otherQuantity =
  /(?:^|_)(?:target|set|setpoint|desired|min|minimum|max|maximum|forecast|threshold|limit|alarm|offset|calibration)(?:_|$)/;
const otherMedium = /(?:^|_)(?:soil|ground|water|body|skin|cpu|gpu|board|chip|battery)(?:_|$)/;
export const airSensors: ReadonlySet<string> = new Set(["temperature", "humidity", "pressure"]);

/** Returns the unit in a column's name, if it is a unit of that sensor: °F in `Attic (°F)`. */
export function unitInName(name: string, { unit }: KnownSensor): string | undefined {
  return splitUnit(name)
    .find((part) => conversionOf(part.unit, unit) !== undefined)
    ?.unit.trim();
}

/**
 * Returns the sensor that an entity of Home Assistant measures, by the end of its id: in
 * `sensor.living_room_temperature` the longest end that is the name of a sensor.
 */
export function sensorOfEntity(entity: string, lookup: SensorLookup): KnownSensor | undefined {
  const words = plainName(entity.replace(/^.*[.:]/, "")).split("_");
  for (let from = 0; from < words.length; from++) {
    const found = sensorOfName(words.slice(from).join("_"), lookup);
    // Single letters at the end of an id are not sensors.
    if (found !== undefined && words.slice(from).join("_").length > 2) return found;
  }
  return undefined;
}

/** The name without the unit at its end, if it is that one: `Temperature_Celsius` of `Temperature_Celsius(°C)`. */
function withoutUnit(name: string, unit: string): string {
  return splitUnit(name).find((part) => unitOf(part.unit) === unitOf(unit))?.base ?? "";
}

/** Where the unit may be in a name; marked as a unit by brackets, a comma or `in`, or just its last words. */
function splitUnit(
  name: string,
): { readonly base: string; readonly unit: string; readonly isMarked: boolean }[] {
  const patterns = [
    /^(.*?)[\s_]*[[(]([^\])]+)[\])]\s*$/,
    /^([^,]+),\s*([^(]+?)\s*(?:\(.*)?$/,
    /^(.+?)[\s_-]+in[\s_-]+(\S+)$/i,
  ];
  const found = patterns.flatMap((pattern) => {
    const parts = pattern.exec(name);
    return parts === null ? [] : [{ base: parts[1]!, unit: parts[2]!, isMarked: true }];
  });
  // The unit is the last word or the last two: temp_c, wind speed km/h, pressure in hg.
  for (const match of name.matchAll(/[\s_-]+/g)) {
    found.push({
      base: name.slice(0, match.index),
      unit: name.slice(match.index + match[0].length).replaceAll("_", " "),
      isMarked: false,
    });
  }
  const camel = /^(.*[a-z])([A-Z][A-Za-z]*)$/.exec(name);
  if (camel !== null) found.push({ base: camel[1]!, unit: camel[2]!, isMarked: false });
  // `humidity_1` and `Humidity (1)` count columns; `Humidity [1]` states the unit of fractions.
  return found.filter(({ unit }) => unit.trim() !== "1" || /\[\s*1\s*\]\s*$/.test(name));
}
