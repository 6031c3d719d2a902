import type { KnownSeries } from "../../mesh/series/known-series.ts";

/** The state of a series from its latest timestamp. Times are in ms. */
export type DeviceState =
  | { readonly kind: "online"; readonly ageMs: number }
  | { readonly kind: "silent"; readonly ageMs: number }
  /** The clock of the device is ahead of the server's. */
  | { readonly kind: "ahead"; readonly byMs: number };

/** A device without a reading for this time is silent. */
export const silentAfterMs = 60_000;
/** Clocks may differ by this much without a fault. */
export const aheadAfterMs = 5000;

/** Returns the state of a series. Pure. */
export function stateOf({ latestMs }: Pick<KnownSeries, "latestMs">, nowMs: number): DeviceState {
  const ageMs = nowMs - (latestMs ?? Number.NEGATIVE_INFINITY);
  if (ageMs < -aheadAfterMs) return { kind: "ahead", byMs: -ageMs };
  if (ageMs > silentAfterMs) return { kind: "silent", ageMs };
  return { kind: "online", ageMs: Math.max(ageMs, 0) };
}
