import type { SensorCatalog } from "@devicemesh/proto";
import type { SensorLookup } from "./inspect/sensor-lookup.ts";

/** Finds the sensors of a catalog, with the catalog's codes, which the outbox must use too. */
export function createSensorLookup({ find, codeOf }: SensorCatalog): SensorLookup {
  return {
    find(name) {
      const spec = find(name);
      return spec && { ...spec, code: codeOf(spec.sensor)! };
    },
  };
}
