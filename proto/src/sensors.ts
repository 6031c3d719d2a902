import { openSensorTable, typedSensorTable } from "../gen/sensors.ts";

/** The name of a sensor, as in DeviceMessage.sensor; it matches `sensorNamePattern`. */
export type SensorName = string;

/** The definition of a sensor. */
export type SensorSpec = {
  /** The sensor's name. */
  readonly sensor: SensorName;
  /** The unit of its values, in its usual notation; "1" if it has none, empty if it is unknown. */
  readonly unit: string;
  /** The smallest valid value. */
  readonly minimum: number;
  /** The largest valid value. */
  readonly maximum: number;
  /** A description in one sentence; may be empty. */
  readonly description: string;
  /** Other names that devices and recordings use for it. */
  readonly aliases: readonly string[];
  /** The name of its member of Reading.measurement, if the sensor has a device type. */
  readonly deviceType?: string;
  /** The field number of that member in Reading. */
  readonly measurementField?: number;
  /** The field number of the value in the measurement's message. */
  readonly valueField?: number;
};

/** A sensor that has a device type in the contract. */
export type TypedSensor = SensorSpec &
  Required<Pick<SensorSpec, "deviceType" | "measurementField" | "valueField">>;

/** Whether the sensor has a device type in the contract. */
export function isTyped(spec: SensorSpec): spec is TypedSensor {
  return spec.deviceType !== undefined;
}

/** The sensors with a device type, in the order of Reading.measurement: the first codes of every catalog. */
export const sensors: readonly TypedSensor[] = typedSensorTable;

/** The built-in catalog; it begins with `sensors`. */
export const builtInSensors: readonly SensorSpec[] = [...typedSensorTable, ...openSensorTable];

const byName = new Map<string, SensorSpec>(builtInSensors.map((spec) => [spec.sensor, spec]));

/** Returns the sensor of that name in the built-in catalog, or undefined. */
export function sensorByName(name: string): SensorSpec | undefined {
  return byName.get(name);
}
