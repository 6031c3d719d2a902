import type { SensorUnit } from "./mongo-documents.ts";

/** A sensor whose unit in a catalog is not the recorded one. */
export type ChangedUnit = { readonly sensor: string; readonly recorded: string; readonly wanted: string };

/**
 * Returns the sensors of a catalog whose unit differs from the recorded one. A sensor that is not recorded, or that is
 * recorded without a unit, may have any: nothing else gives its values a meaning.
 */
export function changedUnits(
  catalog: readonly SensorUnit[],
  recorded: readonly SensorUnit[],
): readonly ChangedUnit[] {
  const units = new Map(recorded.map(({ sensor, unit }) => [sensor, unit]));
  return catalog.flatMap(({ sensor, unit }) => {
    const before = units.get(sensor) ?? "";
    return before === "" || before === unit ? [] : [{ sensor, recorded: before, wanted: unit }];
  });
}

/**
 * Returns why a service cannot work with its catalog, and the fix; undefined if its units are those that the operator
 * has recorded.
 */
export function unitConflict(
  catalog: readonly SensorUnit[],
  recorded: readonly SensorUnit[],
): string | undefined {
  const changed = changedUnits(catalog, recorded);
  if (changed.length === 0) return undefined;
  const list = changed.map(
    ({ sensor, recorded, wanted }) => `${sensor} is recorded in ${recorded}, not in ${wanted || "no unit"}`,
  );
  return `the sensor catalog has other units than the mesh: ${list.join("; ")}. Give every service the file of --sensors that the operator has: it records a changed unit of a sensor without readings, and rejects it otherwise`;
}

/** Parses the units in JSON that another service has written; undefined if they are none. */
export function sensorUnitsOf(found: unknown): readonly SensorUnit[] | undefined {
  if (!Array.isArray(found)) return undefined;
  const isUnit = (one: unknown): one is SensorUnit =>
    typeof one === "object" &&
    one !== null &&
    "sensor" in one &&
    "unit" in one &&
    typeof one.sensor === "string" &&
    typeof one.unit === "string";
  return found.filter(isUnit).map(({ sensor, unit }) => ({ sensor, unit }));
}
