import type { SensorEntry, SensorFileProblem } from "./sensor-file.ts";
import { catalogSensorsMax, foldedName } from "./sensor-names.ts";
import type { SensorSpec } from "./sensors.ts";

/** The merged catalog, or all problems of the second one. */
export type MergedSensors =
  | { readonly kind: "sensors"; readonly sensors: readonly SensorSpec[] }
  | { readonly kind: "problems"; readonly problems: readonly SensorFileProblem[] };

/**
 * Applies a user's entries to a catalog: they change its sensors field by field and add new ones. Aliases are added to
 * those that a sensor has. A user's name or alias is removed from the aliases of other sensors of the catalog. A new
 * sensor, and one whose unit changes, needs unit, minimum and maximum. A sensor with a device type keeps the unit of
 * the contract.
 */
export function mergeSensors(base: readonly SensorSpec[], entries: readonly SensorEntry[]): MergedSensors {
  const problems: SensorFileProblem[] = [];
  const merged = new Map(base.map((spec) => [spec.sensor, withoutTaken(spec, entries)]));
  for (const entry of entries) {
    const problem = (field: string, text: string) =>
      problems.push({ line: entry.line, sensor: entry.sensor, field, text });
    const known = merged.get(entry.sensor);
    const unitChanges = known !== undefined && entry.unit !== undefined && entry.unit !== known.unit;
    if (unitChanges && known.deviceType !== undefined) {
      problem("unit", `is ${known.unit} in the contract and cannot change: add a sensor of another name`);
    }
    if (known === undefined || unitChanges) {
      for (const field of ["unit", "minimum", "maximum"] as const) {
        if (entry[field] !== undefined) continue;
        problem(field, unitChanges ? "must be given in the new unit" : "is required for a new sensor");
      }
    }
    const spec = {
      ...(known ?? { unit: "", minimum: -Infinity, maximum: Infinity, description: "" }),
      ...entry,
      aliases: [...new Set([...(known?.aliases ?? []), ...(entry.aliases ?? [])])],
    };
    if (!(spec.minimum < spec.maximum)) {
      problem("minimum", `must be less than maximum, and ${spec.minimum} is not less than ${spec.maximum}`);
    }
    const { line: _line, ...sensor } = spec;
    merged.set(entry.sensor, sensor);
  }
  problems.push(...sharedNames(merged, entries));
  if (merged.size > catalogSensorsMax) {
    const text = `a catalog has at most ${catalogSensorsMax} sensors, not ${merged.size}`;
    problems.push({ line: 1, sensor: "", field: "", text });
  }
  if (problems.length > 0) return { kind: "problems", problems };
  return { kind: "sensors", sensors: [...merged.values()] };
}

/** The sensor without the aliases that the entries give to another sensor. */
function withoutTaken(spec: SensorSpec, entries: readonly SensorEntry[]): SensorSpec {
  const others = entries.filter(({ sensor }) => sensor !== spec.sensor);
  const taken = new Set(others.flatMap(({ sensor, aliases = [] }) => [sensor, ...aliases]).map(foldedName));
  const aliases = spec.aliases.filter((alias) => !taken.has(foldedName(alias)));
  return aliases.length === spec.aliases.length ? spec : { ...spec, aliases };
}

/** The names and aliases that two sensors would share. */
function sharedNames(
  sensors: ReadonlyMap<string, SensorSpec>,
  entries: readonly SensorEntry[],
): SensorFileProblem[] {
  const owners = new Map<string, string>();
  for (const { sensor } of sensors.values()) owners.set(foldedName(sensor), sensor);
  const lines = new Map(entries.map(({ sensor, line }) => [sensor, line]));
  const problems: SensorFileProblem[] = [];
  const claim = (sensor: string, name: string, field: string) => {
    const owner = owners.get(foldedName(name));
    if (owner === undefined) owners.set(foldedName(name), sensor);
    else if (owner !== sensor) {
      const line = lines.get(sensor) ?? lines.get(owner) ?? 1;
      problems.push({
        line,
        sensor,
        field,
        text: `${JSON.stringify(name)} already means the sensor ${owner}`,
      });
    }
  };
  for (const { sensor } of sensors.values()) claim(sensor, sensor, "");
  for (const { sensor, aliases } of sensors.values()) {
    for (const alias of aliases) claim(sensor, alias, "aliases");
  }
  return problems;
}
