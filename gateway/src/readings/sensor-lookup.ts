import { sensorByName, sensors } from "@devicemesh/proto";

/** What the gateway needs to know of a sensor. */
export type KnownSensor = {
  /** Its name in the catalog. */
  readonly sensor: string;
  /** Whether its values are 0 and 1: then payloads may say on and off, or true and false. */
  readonly isState: boolean;
};

/** Finds sensors by the names that devices use. */
export type SensorLookup = {
  /** By name or alias; undefined for a sensor that is not in the catalog. */
  find(name: string): KnownSensor | undefined;
  /** By the type of device, as documents name it: `Thermostat`, `HeartRateMeter`. */
  ofDeviceType(type: string): KnownSensor | undefined;
};

/** The sensors of the contract. */
export function createSensorLookup(): SensorLookup {
  const byType = new Map(
    sensors.map(({ deviceType, sensor }) => [deviceType.replaceAll("_", ""), known(sensor)]),
  );
  return {
    find(name) {
      const spec = sensorByName(name);
      return spec && known(spec.sensor);
    },
    ofDeviceType: (type) => byType.get(type.replaceAll("_", "").toLowerCase()),
  };
}

function known(sensor: string): KnownSensor {
  return { sensor, isState: false };
}
