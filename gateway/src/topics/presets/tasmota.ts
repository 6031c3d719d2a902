import { parseTimestamp } from "../../readings/parse-timestamp.ts";
import { asObject, createCollector, noReadings, objectOf, type TopicForm } from "../topic-message.ts";

/**
 * Tasmota: `tele/<topic>/SENSOR` and `stat/<topic>/STATUS8` or `STATUS10`, with an object for each sensor chip. The
 * device is `<topic>/<chip>`, because chips of one device measure the same quantities. `Time` is used if it has an
 * offset; by default it has none, and the time of receipt is used. Temperatures in °F and pressures in mmHg and inHg
 * are converted.
 */
export const tasmota: TopicForm = ({ topic, text, nowMs }, lookup) => {
  const [, prefix, name, last = ""] = /^(tele|stat)\/(.+)\/([^/]+)$/.exec(topic) ?? [];
  if (name === undefined) return undefined;
  const isSensors = prefix === "tele" ? last === "SENSOR" : last === "STATUS8" || last === "STATUS10";
  const whole = isSensors ? objectOf(text) : undefined;
  if (whole === undefined) return noReadings;
  const object = prefix === "stat" ? asObject(whole.StatusSNS) : whole;
  const collector = createCollector({ nowMs });
  const time = parseTimestamp(object.Time);
  const timestampMs = time.kind === "time" ? time.ms : nowMs;
  for (const [chip, values] of Object.entries(object)) {
    for (const [field, raw] of Object.entries(asObject(values))) {
      const known = lookup.find(renamed[field] ?? field);
      const convert = known && conversionOf(known.sensor, object);
      if (known === undefined || convert === undefined || (typeof raw === "object" && raw !== null)) continue;
      collector.add(
        { deviceId: `${name}/${chip}`, field: `${chip}.${field}`, known, timestampMs },
        raw,
        convert,
      );
    }
  }
  return collector.result();
};

/**
 * Fields whose names are not those of their sensors; `-` for values with another meaning or unit than the catalog's.
 */
const renamed: Readonly<Record<string, string>> = {
  CarbonDioxide: "co2",
  eCO2: "co2",
  DewPoint: "dew_point",
  Total: "energy",
  ApparentPower: "apparent_power",
  ReactivePower: "reactive_power",
  Factor: "power_factor",
  ...{ Today: "-", Yesterday: "-", Distance: "-", SeaPressure: "-", Rain: "-" },
};

const same = (value: number): number => value;

/** Returns the conversion of values of the sensor; undefined for an unknown unit. */
function conversionOf(sensor: string, { TempUnit, PressureUnit }: Readonly<Record<string, unknown>>) {
  if (sensor === "temperature" || sensor === "dew_point") {
    if (TempUnit === undefined || TempUnit === "C") return same;
    return TempUnit === "F" ? (value: number) => ((value - 32) * 5) / 9 : undefined;
  }
  if (sensor !== "pressure" || PressureUnit === undefined || PressureUnit === "hPa") return same;
  const hPa = { mmHg: 1.333_223_874_15, inHg: 33.863_886_666_7 }[String(PressureUnit)];
  return hPa === undefined ? undefined : (value: number) => value * hPa;
}
