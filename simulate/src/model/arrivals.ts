import type { FleetConfig } from "../fleet/fleet.ts";
import { duplicateGapMs, lateMinMs, latencyMs } from "../limits.ts";

/** When the messages of a reading are appended. */
export type Arrivals = {
  /** The chance that it is appended within `ms` of its measurement. */
  once(ms: number): number;
  /** The chance that it is sent again, and that within `ms`. */
  again(ms: number): number;
  /** Nothing is appended later. */
  readonly latestMs: number;
};

/** The tables have a value for each such time, and are linear in between. */
const grainMs = 250;

/** Tabulates the delays of a fleet. */
export function createArrivals(config: FleetConfig): Arrivals {
  const latestMs = config.lateMaxMs + duplicateGapMs.most + latencyMs.most;
  const times = Array.from({ length: Math.ceil(latestMs / grainMs) + 1 }, (_, place) => place * grainMs);
  const once = Float64Array.from(times, (ms) => delayed(config, ms));
  const again = Float64Array.from(times, (ms) => config.duplicateShare * resent(config, ms));
  const lookUp = (table: Float64Array, ms: number): number => {
    if (ms <= 0) return 0;
    const place = Math.floor(ms / grainMs);
    const low = table[place] ?? (table.at(-1) as number);
    return low + ((table[place + 1] ?? low) - low) * (ms / grainMs - place);
  };
  return { once: (ms) => lookUp(once, ms), again: (ms) => lookUp(again, ms), latestMs };
}

function delayed({ lateShare, lateMaxMs }: FleetConfig, ms: number): number {
  if (ms <= 0) return 0;
  const soon = clamp((ms - latencyMs.least) / (latencyMs.most - latencyMs.least));
  const range = Math.log(Math.max(lateMaxMs, lateMinMs) / lateMinMs);
  const late = range === 0 ? Number(ms >= lateMinMs) : clamp(Math.log(ms / lateMinMs) / range);
  return (1 - lateShare) * soon + lateShare * late;
}

/** The second message follows the first after a time that is even between two limits. */
function resent(config: FleetConfig, ms: number): number {
  const points = 6;
  let sum = 0;
  for (let point = 0; point < points; point++) {
    const share = (point + 0.5) / points;
    sum += delayed(config, ms - duplicateGapMs.least - share * (duplicateGapMs.most - duplicateGapMs.least));
  }
  return sum / points;
}

function clamp(share: number): number {
  return Math.min(Math.max(share, 0), 1);
}
