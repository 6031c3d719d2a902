import { isoMilliseconds } from "@devicemesh/proto";
import type { SensorUnit } from "./mongo-documents.ts";
import { sensorUnitsOf } from "./sensor-units.ts";

/** What the operator announces to every ingest, in the one record of the retention topic. */
export type AcceptedSince = {
  /** Readings with an earlier timestamp (ms since 1970) must be rejected; -Infinity if nothing was ever deleted. */
  readonly acceptedSinceMs: number;
  /** The units of the sensors; undefined in a record of an older operator. */
  readonly sensorUnits?: readonly SensorUnit[] | undefined;
};

/** Formats the record of the retention topic. */
export function acceptedSinceRecord({ acceptedSinceMs, sensorUnits }: AcceptedSince): {
  readonly key: string;
  readonly value: string;
} {
  const time = Number.isFinite(acceptedSinceMs) ? isoMilliseconds(acceptedSinceMs) : null;
  return { key: "raw", value: JSON.stringify({ accepted_since: time, sensor_units: sensorUnits }) };
}

/** Parses a record of the retention topic. Undefined if it is not such a record. */
export function acceptedSinceOf(value: string): AcceptedSince | undefined {
  let found: unknown;
  try {
    found = JSON.parse(value);
  } catch {
    return undefined;
  }
  if (typeof found !== "object" || found === null || !("accepted_since" in found)) return undefined;
  const time = found.accepted_since;
  const sensorUnits = "sensor_units" in found ? sensorUnitsOf(found.sensor_units) : undefined;
  if (time === null) return { acceptedSinceMs: Number.NEGATIVE_INFINITY, sensorUnits };
  const ms = typeof time === "string" ? Date.parse(time) : Number.NaN;
  return Number.isNaN(ms) ? undefined : { acceptedSinceMs: ms, sensorUnits };
}
