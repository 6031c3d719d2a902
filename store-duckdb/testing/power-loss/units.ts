import type { MessageBatch } from "@devicemesh/ingest";
import { builtInSensors } from "@devicemesh/proto";

/** Number of readings in a unit. */
export const unitReadings = 2000;

/** For tests: a unit whose readings are all of one separate device. */
export function unitOf(unit: number): MessageBatch {
  const firstMs = Date.UTC(2026, 10, 1) + unit * 1000;
  return {
    length: unitReadings,
    deviceIds: Array.from({ length: unitReadings }, () => `unit-${unit}`),
    sensors: builtInSensors,
    sensorCodes: new Uint16Array(unitReadings),
    timestampsMs: Float64Array.from({ length: unitReadings }, (_, row) => firstMs + row),
    values: Float64Array.from(
      { length: unitReadings },
      (_, row) => ((unit * 7919 + row * 104_729) % 4000) / 100,
    ),
  };
}
