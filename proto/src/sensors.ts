import { openSensorTable, typedSensorTable } from "../gen/sensors.ts";

/** The name of a sensor, as in DeviceMessage.sensor: it keeps `sensorNamePattern`. */
export type SensorName = string;

/** What is known of a sensor. */
export type SensorSpec = {
  /** The sensor's name. */
  readonly sensor: SensorName;
  /** The unit of its values, as people write it; "1" if it has none, empty if it is not known. */
  readonly unit: string;
  /** The smallest valid value. */
  readonly minimum: number;
  /** The largest valid value. */
  readonly maximum: number;
  /** One sentence for people; may be empty. */
  readonly description: string;
  /** Other names by which devices and recordings call it. */
  readonly aliases: readonly string[];
  /** The name of the member of Reading.measurement: the type of device that has this sensor, if there is one. */
  readonly deviceType?: string;
  /** The field number of that member in Reading. */
  readonly measurementField?: number;
  /** The field number of the value in the measurement's message. */
  readonly valueField?: number;
};

/** A sensor that has a device type of its own in the contract. */
export type TypedSensor = SensorSpec &
  Required<Pick<SensorSpec, "deviceType" | "measurementField" | "valueField">>;

/** Whether the sensor has a device type of its own in the contract. */
export function isTyped(spec: SensorSpec): spec is TypedSensor {
  return spec.deviceType !== undefined;
}

/** The sensors with a device type of their own, in the order of Reading.measurement: the first codes of every catalog. */
export const sensors: readonly TypedSensor[] = typedSensorTable;

/** The built-in catalog, of which `sensors` are the first. */
export const builtInSensors: readonly SensorSpec[] = [...typedSensorTable, ...openSensorTable];

const byName = new Map<string, SensorSpec>(builtInSensors.map((spec) => [spec.sensor, spec]));

/** The sensor of that name in the built-in catalog, or undefined. */
export function sensorByName(name: string): SensorSpec | undefined {
  return byName.get(name);
}
