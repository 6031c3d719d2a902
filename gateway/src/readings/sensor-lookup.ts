import { createSensorCatalog, isTyped, type SensorCatalog, type SensorSpec } from "@devicemesh/proto";

/** The properties of a sensor that the gateway uses. */
export type KnownSensor = {
  /** Its name in the catalog. */
  readonly sensor: string;
  /** Whether its values are 0 and 1: then payloads may also be on and off, or true and false. */
  readonly isState: boolean;
};

/** Finds sensors by the names that devices use. */
export type SensorLookup = {
  /** Returns the sensor with that name or alias; undefined if the catalog has none. */
  find(name: string): KnownSensor | undefined;
  /** Returns the sensor of a device type, by its name in documents: `Thermostat`, `HeartRateMeter`. */
  ofDeviceType(type: string): KnownSensor | undefined;
};

/** Creates the lookup for a catalog; the built-in one by default. */
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
