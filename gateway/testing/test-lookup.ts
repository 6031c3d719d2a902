import { createSensorLookup } from "../src/readings/sensor-lookup.ts";

/** The sensors of the built-in catalog. */
export const testLookup = createSensorLookup();
