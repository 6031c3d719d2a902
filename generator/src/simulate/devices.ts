import { type SensorSpec, sensors as typedSensors } from "@devicemesh/proto";

/** The simulated devices, in columns. */
export type Devices = {
  readonly count: number;
  /**
   * The ids: `thermostat-0001`, `barometer-0002`, `co2-0003`, …: a prefix, the type, and the number of the device,
   * counted from 1.
   */
  readonly ids: readonly string[];
  /** The sensors by code. */
  readonly sensors: readonly SensorSpec[];
  readonly sensorCodes: Uint16Array;
};

/** The sensors of the devices. */
export type DeviceSensors = {
  /** All sensors, by code. */
  readonly sensors: readonly SensorSpec[];
  /** The codes of the sensors that devices have, in turn; at least one. */
  readonly simulated: readonly number[];
};

/** The sensors with a device type. */
export const typedDeviceSensors: DeviceSensors = {
  sensors: typedSensors,
  simulated: typedSensors.map((_, code) => code),
};

/** Creates that many devices, with the sensors in turn. */
export function createDevices(
  count: number,
  prefix = "",
  { sensors, simulated }: DeviceSensors = typedDeviceSensors,
): Devices {
  const sensorCodes = Uint16Array.from(
    { length: count },
    (_, index) => simulated[index % simulated.length] ?? 0,
  );
  const ids = Array.from(sensorCodes, (code, index) => {
    const type = typeOf(sensors[code]).replaceAll("_", "-");
    return `${prefix}${type}-${String(index + 1).padStart(4, "0")}`;
  });
  return { count, ids, sensors, sensorCodes };
}

/**
 * Returns the type of the device at that index: thermostat, barometer, …, or the name of its sensor if it has no type.
 */
export function deviceType({ sensors, sensorCodes }: Devices, index: number): string {
  return typeOf(sensors[sensorCodes[index] ?? 0]);
}

function typeOf(spec: SensorSpec | undefined): string {
  return spec?.deviceType ?? spec?.sensor ?? "";
}
