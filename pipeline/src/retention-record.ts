import { isoMilliseconds } from "@devicemesh/proto";

/**
 * Formats the record of the retention topic. `acceptedSinceMs` (ms since 1970) is -Infinity if nothing was ever
 * deleted.
 */
export function acceptedSinceRecord(acceptedSinceMs: number): {
  readonly key: string;
  readonly value: string;
} {
  const time = Number.isFinite(acceptedSinceMs) ? isoMilliseconds(acceptedSinceMs) : null;
  return { key: "raw", value: JSON.stringify({ accepted_since: time }) };
}

/**
 * Parses a record of the retention topic: readings with an earlier timestamp (ms since 1970) must be rejected;
 * -Infinity if there is no bound. Undefined if it is not such a record.
 */
export function acceptedSinceOf(value: string): number | undefined {
  let found: unknown;
  try {
    found = JSON.parse(value);
  } catch {
    return undefined;
  }
  if (typeof found !== "object" || found === null || !("accepted_since" in found)) return undefined;
  const time = found.accepted_since;
  if (time === null) return Number.NEGATIVE_INFINITY;
  const ms = typeof time === "string" ? Date.parse(time) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
