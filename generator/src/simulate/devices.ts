import { sensors } from "@devicemesh/proto";

/** The devices that are played, in columns. */
export type Devices = {
  readonly count: number;
  /** `thermostat-0001`, `barometer-0002`, …: the type and the device's number, counted from 1, after a prefix. */
  readonly ids: readonly string[];
  /** Places in the table `sensors` of @devicemesh/proto. */
  readonly sensorCodes: Uint8Array;
};

/** That many devices, the types of the contract in turn. */
export function createDevices(count: number, prefix = ""): Devices {
  const ids: string[] = [];
  const sensorCodes = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    sensorCodes[index] = index % sensors.length;
    ids.push(`${prefix}${deviceType(index).replaceAll("_", "-")}-${String(index + 1).padStart(4, "0")}`);
  }
  return { count, ids, sensorCodes };
}

/** The type of the device at that place: thermostat, barometer, hygrometer, heart_rate_meter, and again. */
export function deviceType(index: number): string {
  return sensors[index % sensors.length]!.deviceType;
}
