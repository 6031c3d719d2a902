import { ownCopy } from "../formats/own-copy.ts";
import { appleHealth, sensorOfEntity, sensorOfName } from "../inspect/column-name.ts";
import type { ImportOptions } from "../inspect/options.ts";
import type { Preset } from "../inspect/preset.ts";
import type { RowSchema } from "../inspect/row-schema.ts";
import type { KnownSensor, SensorLookup } from "../inspect/sensor-lookup.ts";
import { type Conversion, conversionOf, unitOf } from "../units/units.ts";

/** The sensor of a value whose column does not name it. */
export type ValueSensor = {
  /** The sensor; undefined if it is unknown. */
  readonly sensor: KnownSensor | undefined;
  /** Its name in the file. */
  readonly name: string;
  /** The unit that the row states; empty if none. */
  readonly unit: string;
  /** Undefined if the unit cannot be converted to the sensor's. */
  readonly convert: Conversion | undefined;
};

const rememberedMax = 100_000;

/** Finds the sensors of values, once for each combination of names. */
export function createValueSensors({
  options,
  lookup,
  preset,
}: {
  readonly options: ImportOptions;
  readonly lookup: SensorLookup;
  readonly preset: Preset | undefined;
}): { of(schema: RowSchema, cells: readonly string[]): ValueSensor } {
  const fixed = options.sensor === undefined ? undefined : sensorOfName(options.sensor, lookup);
  const known = new Map<string, ValueSensor>();

  function find(field: string, measurement: string, device: string, unit: string): ValueSensor {
    const isUnit = measurement !== "" && unitOf(measurement) !== undefined;
    const entity = preset?.isEntities ? sensorOfEntity(device, lookup) : undefined;
    const sensor =
      fixed ??
      sensorOfName(field, lookup) ??
      (isUnit ? undefined : sensorOfName(measurement, lookup)) ??
      entity;
    const names = [
      isGeneric(field) ? "" : field,
      isUnit ? "" : measurement,
      preset?.isEntities ? device : "",
    ];
    const name = sensor?.sensor ?? (names.find((text) => text !== "") || "value");
    if (sensor === undefined) return { sensor, name, unit: "", convert: undefined };
    const stated = unit === "" && isUnit ? measurement : unit;
    const given =
      options.units?.get(sensor.sensor) ??
      (stated === "" ? undefined : healthUnit(field, stated)) ??
      preset?.units?.[sensor.sensor];
    return { sensor, name, unit: given ?? "", convert: conversionOf(given ?? sensor.unit, sensor.unit) };
  }

  return {
    of({ sensorAt, measurementAt, deviceAt, unitAt }, cells) {
      const field = sensorAt < 0 ? "" : cells[sensorAt]!;
      const measurement = measurementAt < 0 ? "" : cells[measurementAt]!;
      const unit = unitAt < 0 ? "" : cells[unitAt]!;
      const device = preset?.isEntities && deviceAt >= 0 ? cells[deviceAt]! : "";
      const key =
        measurement === "" && unit === "" && device === ""
          ? field
          : `${field}\n${measurement}\n${unit}\n${device}`;
      let found = known.get(key);
      if (found === undefined) {
        found = find(ownCopy(field), ownCopy(measurement), ownCopy(device), ownCopy(unit));
        if (known.size >= rememberedMax) known.clear();
        known.set(ownCopy(key), found);
      }
      return found;
    },
  };
}

/** Apple Health calls a fraction of 1 a percentage. */
function healthUnit(field: string, unit: string): string {
  return unit === "%" && appleHealth.test(field) ? "fraction" : unit;
}

/** The name that InfluxDB's clients give to a measurement's only field. */
function isGeneric(field: string): boolean {
  return field === "" || field === "value" || field === "_value";
}
