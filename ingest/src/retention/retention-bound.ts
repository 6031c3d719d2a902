import { unavailable } from "@devicemesh/kit/rpc/rpc-error";
import { type AcceptedSince, unitConflict } from "@devicemesh/pipeline";
import type { SensorSpec } from "@devicemesh/proto";

/**
 * The earliest timestamp that may be accepted, so that every duplicate is recognized; and whether anything may be,
 * because stored values would change their meaning if ingest had other units than the mesh.
 */
export type RetentionBound = {
  /**
   * Returns the earliest timestamp (ms since 1970) that may be accepted; -Infinity if there is no bound.
   * @throws RpcError UNAVAILABLE if it is unknown, or was not confirmed for too long: the store may have deleted
   * readings since; or if the units differ.
   */
  acceptedSinceMs(): number;
  /** Whether readings may be accepted: the bound is known and the units do not differ. */
  isKnown(): boolean;
  /** Returns which units differ, and the fix; undefined if none does, or if they are unknown. */
  unitConflict(): string | undefined;
  /**
   * Confirms the bound at `asOfMs` (monotonic). Within a process it never goes back. Units that are left out stay as
   * they were confirmed.
   */
  confirm(accepted: AcceptedSince, asOfMs: number): void;
};

/**
 * A bound whose confirmation is older than this is not used, in ms. The operator deletes nothing before the log is ten
 * minutes past a new bound; that also covers the longest append of five minutes.
 */
export const boundStaleAfterMs = 180_000;

/** Creates an unknown bound. */
export function createRetentionBound({
  sensors,
  monotonicMs = () => performance.now(),
}: {
  /** The sensors of ingest's catalog. */
  readonly sensors: readonly Pick<SensorSpec, "sensor" | "unit">[];
  readonly monotonicMs?: () => number;
}): RetentionBound {
  let known: { readonly sinceMs: number; readonly asOfMs: number } | undefined;
  let conflict: string | undefined;
  const isRecent = (): boolean => known !== undefined && monotonicMs() - known.asOfMs <= boundStaleAfterMs;
  const isKnown = (): boolean => conflict === undefined && isRecent();
  return {
    isKnown,
    unitConflict: () => conflict,
    acceptedSinceMs() {
      if (conflict !== undefined) throw unavailable({ message: conflict, retryDelayMs: 10_000 });
      if (known && isRecent()) return known.sinceMs;
      throw unavailable({
        message:
          "the retention mark is unknown: the message log cannot be reached, or the operator has not written the mark yet",
        retryDelayMs: 1000,
      });
    },
    confirm({ acceptedSinceMs, sensorUnits }, asOfMs) {
      if (sensorUnits) conflict = unitConflict(sensors, sensorUnits);
      known = { sinceMs: Math.max(known?.sinceMs ?? Number.NEGATIVE_INFINITY, acceptedSinceMs), asOfMs };
    },
  };
}
