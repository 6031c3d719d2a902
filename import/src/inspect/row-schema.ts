import type { DecimalSign } from "../convert/numbers.ts";
import { type Conversion, conversionOf } from "../units/units.ts";
import { type RoleContext, rolesOf } from "./schema.ts";
import type { KnownSensor } from "./sensor-lookup.ts";

/** A column with the values of one sensor. */
export type SensorCell = {
  readonly at: number;
  readonly name: string;
  readonly sensor: KnownSensor;
  readonly decimal: DecimalSign;
  /** The unit that the file or the user states. */
  readonly unit: string | undefined;
  /** Undefined if the unit cannot be converted to the sensor's. */
  readonly convert: Conversion | undefined;
};

/** The positions of the columns in rows with the same names; -1 for a missing one. */
export type RowSchema = {
  readonly names: readonly string[];
  readonly timeAt: number;
  readonly clockAt: number;
  readonly deviceAt: number;
  readonly valueAt: number;
  readonly valueDecimal: DecimalSign;
  readonly sensorAt: number;
  readonly measurementAt: number;
  readonly unitAt: number;
  readonly sensors: readonly SensorCell[];
  /** Columns whose numbers are values of an unknown sensor. */
  readonly unknown: readonly { readonly at: number; readonly name: string }[];
  /** Why no such row is readable. */
  readonly problem: string | undefined;
};

/** Determines the schema of each list of names once. */
export function createSchemas({
  context,
  decimalOf,
}: {
  readonly context: RoleContext;
  decimalOf(name: string): DecimalSign;
}): (names: readonly string[]) => RowSchema {
  const known = new WeakMap<readonly string[], RowSchema>();
  return (names) => {
    const found = known.get(names) ?? schemaOf(names, context, decimalOf);
    known.set(names, found);
    return found;
  };
}

function schemaOf(
  names: readonly string[],
  context: RoleContext,
  decimalOf: (name: string) => DecimalSign,
): RowSchema {
  const roles = rolesOf(names, context);
  const at = (kind: string) => roles.findIndex((role) => role.kind === kind);
  const { times, options, preset } = context;
  const sensors = roles.flatMap((role, place): SensorCell[] => {
    if (role.kind !== "sensor") return [];
    const { sensor } = role;
    const unit = options.units?.get(sensor.sensor) ?? role.unit ?? preset?.units?.[sensor.sensor];
    const name = names[place]!;
    const convert = conversionOf(unit ?? sensor.unit, sensor.unit);
    return [{ at: place, name, sensor, decimal: decimalOf(name), unit, convert }];
  });
  const twice = sensors.find(
    ({ sensor }, place) => sensors.findIndex((other) => other.sensor.code === sensor.code) !== place,
  );
  const valueAt = at("value");
  return {
    names,
    timeAt: times === undefined ? -1 : names.indexOf(times.column),
    clockAt: times?.clockColumn === undefined ? -1 : names.indexOf(times.clockColumn),
    deviceAt: at("device"),
    valueAt,
    valueDecimal: valueAt < 0 ? "." : decimalOf(names[valueAt]!),
    sensorAt: at("sensor-name"),
    measurementAt: at("measurement"),
    unitAt: at("unit"),
    sensors,
    unknown: roles.flatMap(({ kind }, place) =>
      kind === "unknown" ? [{ at: place, name: names[place]! }] : [],
    ),
    problem: twice === undefined ? undefined : twiceText(twice, sensors),
  };
}

function twiceText({ sensor }: SensorCell, sensors: readonly SensorCell[]): string {
  const columns = sensors
    .filter((other) => other.sensor.code === sensor.code)
    .map(({ name }) => JSON.stringify(name));
  return `the columns ${columns.join(" and ")} are all of ${sensor.sensor}: leave out all but one, for example --map ${JSON.stringify(`${sensors.findLast((other) => other.sensor.code === sensor.code)!.name}=-`)}`;
}
