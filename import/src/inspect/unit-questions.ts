import { isMissing } from "../convert/missing.ts";
import { readNumber } from "../convert/numbers.ts";
import { createValueSensors } from "../convert/value-sensors.ts";
import type { Row } from "../formats/row.ts";
import { possibleUnits } from "../units/possible-units.ts";
import { conversionOf, unitOf } from "../units/units.ts";
import type { Question } from "./options.ts";
import type { RowSchema } from "./row-schema.ts";
import type { RoleContext } from "./schema.ts";
import type { KnownSensor } from "./sensor-lookup.ts";

type Stated = { readonly sensor: KnownSensor; readonly unit: string; readonly where: string };

/** Returns the open questions about the units of the sample's values. */
export function unitQuestions(
  rows: readonly Row[],
  context: RoleContext,
  schemaOf: (names: readonly string[]) => RowSchema,
): Question[] {
  const { options } = context;
  const values = new Map<KnownSensor, number[]>();
  const refused = new Map<string, Stated>();
  const converted = new Map<KnownSensor, Stated>();
  const missing = isMissing([...(options.missing ?? []), ...(context.preset?.missing ?? [])]);
  const valueSensors = createValueSensors({ ...context });
  const inspection = (
    sensor: KnownSensor,
    unit: string | undefined,
    where: string,
    text: string,
    decimal: "." | ",",
  ) => {
    if (unit !== undefined) {
      if (conversionOf(unit, sensor.unit) === undefined)
        refused.set(`${sensor.sensor} ${unit}`, { sensor, unit, where });
      else if (unitOf(unit) !== unitOf(sensor.unit)) converted.set(sensor, { sensor, unit, where });
      return;
    }
    const value = missing(text) ? Number.NaN : readNumber(text, decimal);
    if (Number.isNaN(value)) return;
    const known = values.get(sensor);
    if (known === undefined) values.set(sensor, [value]);
    else known.push(value);
  };
  for (const row of rows.slice(0, rowsInspected)) {
    const schema = schemaOf(row.names);
    for (const { at, name, sensor, unit, decimal } of schema.sensors)
      inspection(sensor, unit, `column ${JSON.stringify(name)}`, row.cells[at]!, decimal);
    if (schema.valueAt < 0) continue;
    const found = valueSensors.of(schema, row.cells);
    if (found.sensor === undefined) continue;
    const stated = options.units?.get(found.sensor.sensor) ?? (found.unit === "" ? undefined : found.unit);
    inspection(found.sensor, stated, "the file", row.cells[schema.valueAt]!, schema.valueDecimal);
  }
  return [
    ...[...refused.values()].map(({ sensor, unit, where }) => ({
      flag: `--unit ${sensor.sensor}=UNIT`,
      text: `${where} states ${JSON.stringify(unit)} for ${sensor.sensor}, which cannot be converted to ${sensor.unit}: state its unit, or leave out the column with --map COLUMN=-`,
    })),
    ...[...values].flatMap(([sensor, numbers]) => {
      const isKnown = context.preset?.hasOwnUnits || options.units?.has(sensor.sensor);
      const beside = isKnown ? undefined : converted.get(sensor);
      if (beside !== undefined) {
        const text = `${beside.where} states ${JSON.stringify(beside.unit)} for some values of ${sensor.sensor}, and no unit for others`;
        return [{ flag: `--unit ${sensor.sensor}=${beside.unit}`, text }];
      }
      const units = isKnown ? [] : possibleUnits(sensor, numbers);
      if (units.length === 0) return [];
      const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
      const text = `no unit is stated for ${sensor.sensor}, and its values from ${low} to ${high} can be ${units.join(", ")}`;
      return [{ flag: `--unit ${sensor.sensor}=${units.at(-1)}`, text }];
    }),
  ];
}

const rowsInspected = 2000;
