import { createSensorCatalog, isTyped, type SensorCatalog, type SensorSpec } from "@devicemesh/proto";

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

/** The sensors of a catalog; of the built-in one by default. */
export function createSensorLookup(catalog: SensorCatalog = createSensorCatalog()): SensorLookup {
  const byType = new Map(
    catalog.sensors.filter(isTyped).map((spec) => [spec.deviceType.replaceAll("_", ""), known(spec)]),
  );
  return {
    find(name) {
      const spec = catalog.find(name);
      return spec && known(spec);
    },
    ofDeviceType: (type) => byType.get(type.replaceAll("_", "").toLowerCase()),
  };
}

function known({ sensor, unit, minimum, maximum }: SensorSpec): KnownSensor {
  return { sensor, isState: unit === "1" && minimum === 0 && maximum === 1 };
}
