import type { DeviceMessage } from "@devicemesh/proto";
import { exactSum } from "./exact-sum.ts";
import type { Question } from "./oracle.ts";

/** A time-weighted average by brute force; `magnitude` is that of the absolute values. */
export type OracleTimeWeighted = {
  readonly value: number;
  readonly coveredMs: number;
  readonly magnitude: number;
};

/** A span of time: [sinceMs, toMs). */
export type OracleTime = { readonly sinceMs: number; readonly toMs: number };

/** Returns the query of the readings whose values hold in the timeframe of a query. */
export function heldInto(question: Question, maxHoldMs: number): Question {
  const { since, chosen } = question;
  if (!since) return question;
  const earlier = { ...question, since: { ms: since.ms - maxHoldMs, nanos: 0 } };
  return chosen ? { ...earlier, chosen: { ...chosen, sinceMs: Number.NEGATIVE_INFINITY } } : earlier;
}

/**
 * Returns the time-weighted average of a bucket, or of the whole timeframe. `held` are the readings whose values may
 * hold in it and `group` those of the timeframe, both in the order of time.
 */
export function timeWeighting(
  { since, to }: Question,
  options: {
    readonly held: readonly DeviceMessage[];
    readonly group: readonly DeviceMessage[];
    readonly maxHoldMs: number;
  },
): (bucket?: OracleTime) => OracleTimeWeighted | undefined {
  const { held, group, maxHoldMs } = options;
  const firstMs = since?.ms ?? group.at(0)?.timestampMs ?? Number.POSITIVE_INFINITY;
  const lastMs = to?.ms ?? group.at(-1)?.timestampMs ?? Number.NEGATIVE_INFINITY;
  const values = held.map(({ deviceId, sensor, timestampMs, value }, place) => {
    const next = held.slice(place + 1).find((each) => each.deviceId === deviceId && each.sensor === sensor);
    const endMs = Math.min(timestampMs + maxHoldMs, next?.timestampMs ?? Number.POSITIVE_INFINITY);
    return { value, sinceMs: Math.max(timestampMs, firstMs), toMs: Math.min(endMs, lastMs) };
  });
  return (bucket = { sinceMs: firstMs, toMs: lastMs }) => {
    const parts = values.flatMap(({ value, sinceMs, toMs }) => {
      const ms = Math.min(toMs, bucket.toMs) - Math.max(sinceMs, bucket.sinceMs);
      return ms > 0 ? [{ value, ms }] : [];
    });
    if (parts.length === 0) return undefined;
    const coveredMs = exactSum(parts.map(({ ms }) => ms));
    return {
      value: exactSum(parts.map(({ value, ms }) => value * ms)) / coveredMs,
      coveredMs,
      magnitude: exactSum(parts.map(({ value, ms }) => Math.abs(value * ms))) / coveredMs,
    };
  };
}
