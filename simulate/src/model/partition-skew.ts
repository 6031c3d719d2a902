import type { FleetConfig } from "../fleet/fleet.ts";

/**
 * Predicts the load of the fullest partition as a multiple of the mean: devices fall into partitions by a hash, so
 * their number varies like that of independent events, and hot devices weigh more.
 */
export function predictSkew({ devices, partitions, hotEvery, hotFactor }: FleetConfig): number {
  if (partitions === 1) return 1;
  const hot = 1 / hotEvery;
  const mean = 1 - hot + hot * hotFactor;
  const square = 1 - hot + hot * hotFactor ** 2;
  const variation = Math.sqrt(((square / mean ** 2) * partitions) / devices);
  return 1 + variation * largestOf(partitions);
}

/** The expected largest of `count` independent normal values, in standard deviations. */
function largestOf(count: number): number {
  const root = Math.sqrt(2 * Math.log(count));
  return Math.max(root - (Math.log(Math.log(count)) + Math.log(4 * Math.PI)) / (2 * root), 0.56);
}
