import { sensorTable } from "../gen/sensors.ts";

/** The name of a sensor, as in DeviceMessage.sensor. */
export type SensorName = (typeof sensorTable)[number]["sensor"];

/** What is known of a sensor; generated from the contract, which is the only truth. */
export type SensorSpec = {
  /** The sensor's name. */
  readonly sensor: SensorName;
  /** The unit of its values, as people write it. */
  readonly unit: string;
  /** The smallest valid value. */
  readonly minimum: number;
  /** The largest valid value. */
  readonly maximum: number;
  /** The name of the member of Reading.measurement: the type of device that has this sensor. */
  readonly deviceType: string;
  /** The field number of that member in Reading. */
  readonly measurementField: number;
  /** The field number of the value in the measurement's message. */
  readonly valueField: number;
};

/** All sensors, in the order of Reading.measurement. A sensor's place here is its code in columns. */
export const sensors: readonly SensorSpec[] = sensorTable;

const byName = new Map<string, SensorSpec>(sensors.map((spec) => [spec.sensor, spec]));

/** The sensor of that name, or undefined. */
export function sensorByName(name: string): SensorSpec | undefined {
  return byName.get(name);
}
