import type { SensorSpec } from "@devicemesh/proto";
import type { Clock } from "../clock.ts";
import type { Unit } from "../delivery/unit.ts";
import { createOpenUnit, type OpenUnit } from "./open-unit.ts";
import type { SpillFile } from "./spill.ts";

/** A complete unit that is not acknowledged: in memory, on disk, or both while it is sent from disk. */
export type QueuedUnit = {
  /** Its sequence number among all units of the outbox. */
  readonly sequence: number;
  readonly readings: number;
  readonly unit: Unit | undefined;
  readonly file: SpillFile | undefined;
};

/**
 * One lane of the outbox. All readings of a device use the same lane, and a lane has one unit in flight, so that no
 * reading of a series overtakes an earlier one.
 */
export type OutboxLane = {
  readonly open: OpenUnit;
  /** The units, the oldest first. */
  readonly queue: QueuedUnit[];
  inFlight: { readonly queued: QueuedUnit; readonly done: Promise<void> } | undefined;
};

/** Creates an empty lane; calls `onDue` when the first reading of its open unit is `ageMs` old. */
export function createOutboxLane(options: {
  readonly frameReadings: number;
  readonly ageMs: number;
  readonly clock: Clock;
  readonly sensors: readonly SensorSpec[] | undefined;
  onDue(): void;
}): OutboxLane {
  return { open: createOpenUnit(options), queue: [], inFlight: undefined };
}

/** Returns the lane of a device out of `laneCount`, by the FNV-1a hash of its id. */
export function laneOf(deviceId: string, laneCount: number): number {
  if (laneCount === 1) return 0;
  let hash = 0x811c9dc5;
  for (let at = 0; at < deviceId.length; at++) hash = Math.imul(hash ^ deviceId.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % laneCount;
}
