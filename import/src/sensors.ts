import { sensorByName, sensors } from "@devicemesh/proto";
import type { SensorLookup } from "./look/sensor-lookup.ts";

/** The sensors of the contract. */
export const sensorLookup: SensorLookup = {
  find(name) {
    const spec = sensorByName(name);
    return spec && { ...spec, code: sensors.indexOf(spec) };
  },
};
