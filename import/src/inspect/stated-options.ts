import type { DecimalSign } from "../convert/numbers.ts";
import type { DateOrder } from "../time/dates.ts";
import { createZone } from "../time/zone.ts";
import { conversionOf } from "../units/units.ts";
import { sensorOfName } from "./column-name.ts";
import type { ImportOptions } from "./options.ts";
import type { SensorLookup } from "./sensor-lookup.ts";

/** The user's options as texts: flags, or parameters of a request. */
export type StatedTexts = {
  readonly zone?: string | undefined;
  readonly order?: DateOrder | undefined;
  /** `SENSOR=UNIT`. */
  readonly unit: readonly string[];
  readonly device?: string | undefined;
  readonly sensor?: string | undefined;
  readonly missing: readonly string[];
  readonly decimal?: DecimalSign | undefined;
  /** `COLUMN=TARGET`. */
  readonly map: readonly string[];
};

/** The options, or all problems of the texts. */
export type StatedOptions =
  | { readonly kind: "options"; readonly options: ImportOptions }
  | { readonly kind: "problems"; readonly problems: readonly string[] };

const targets = new Set(["time", "device", "value", "sensor", "unit", "-"]);

/** Parses the user's options; a problem begins with the name of its flag. */
export function readStated(texts: StatedTexts, lookup: SensorLookup): StatedOptions {
  const problems: string[] = [];
  const { zone, sensor } = texts;
  if (zone !== undefined && !isZone(zone))
    problems.push(`--zone: ${JSON.stringify(zone)} is not an IANA zone such as Europe/Berlin`);
  if (sensor !== undefined && sensorOfName(sensor, lookup) === undefined)
    problems.push(`--sensor: ${unknown(sensor)}`);
  const units = new Map<string, string>();
  for (const text of texts.unit) {
    const at = text.indexOf("=");
    const [name, unit] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
    const found = sensorOfName(name, lookup);
    if (at < 1 || unit === "") problems.push(`--unit: ${JSON.stringify(text)} is not SENSOR=UNIT`);
    else if (found === undefined) problems.push(`--unit: ${unknown(name)}`);
    else if (conversionOf(unit, found.unit) === undefined)
      problems.push(
        `--unit: ${JSON.stringify(unit)} cannot be converted to ${found.unit}, the unit of ${found.sensor}`,
      );
    else units.set(found.sensor, unit);
  }
  const columns = new Map<string, string>();
  for (const text of texts.map) {
    const at = text.lastIndexOf("=");
    const [column, target] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
    if (at < 1 || target === "") problems.push(`--map: ${JSON.stringify(text)} is not COLUMN=TARGET`);
    else if (targets.has(target) || sensorOfName(target, lookup) !== undefined) columns.set(column, target);
    else
      problems.push(
        `--map: ${JSON.stringify(target)} is none of time, device, value, sensor, unit, -, and ${unknown(target)}`,
      );
  }
  if (problems.length > 0) return { kind: "problems", problems };
  return { kind: "options", options: { ...texts, units, columns } };
}

/** Returns the columns that the user names and that no file has, as problems. */
export function unknownColumns({ columns }: ImportOptions, names: ReadonlySet<string>): string[] {
  const lower = new Set([...names].map((name) => name.toLowerCase()));
  return [...(columns?.keys() ?? [])]
    .filter((column) => !lower.has(column.toLowerCase()) && !/^#\d+$/.test(column))
    .map(
      (column) =>
        `--map: no file has the column ${JSON.stringify(column)}; there are ${[...names].slice(0, 20).join(", ")}`,
    );
}

function unknown(name: string): string {
  return `${JSON.stringify(name)} is not a sensor of the catalog`;
}

function isZone(name: string): boolean {
  try {
    createZone(name);
    return true;
  } catch {
    return false;
  }
}
