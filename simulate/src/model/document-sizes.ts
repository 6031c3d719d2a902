import type { Level } from "@devicemesh/proto";
import type { FleetConfig } from "../fleet/fleet.ts";
import { clockOffMaxMs, oddClockEvery } from "../limits.ts";
import { type Arrivals, createArrivals } from "./arrivals.ts";

// How many documents a fleet makes. A partial exists for each (series, window, segment) with a message, so what counts
// is in how many segments the messages of one window arrive.

/** The points of a sum that stands for a mean over a phase. */
const phases = 8;
const clocks = 8;

/** Devices that send alike. */
type Group = { readonly devices: number; readonly intervalMs: number; readonly offMs: number };

/** Predicts the partials of each level, the finest first, that are folded when the run ends. */
export function predictDocuments(config: FleetConfig, levels: readonly Level[]): readonly number[] {
  const groups = groupsOf(config);
  const arrivals = createArrivals(config);
  return levels.map((level, place) =>
    groups.reduce(
      (sum, group) =>
        sum + group.devices * partialsOf(config, group, { level, hasDuplicates: place === 0 }, arrivals),
      0,
    ),
  );
}

/** Predicts the partials of a device in one window, in the middle of a run without an end. */
export function partialsOfInnerWindow(config: FleetConfig, level: Level, hasDuplicates: boolean): number {
  const group = { devices: 1, intervalMs: config.intervalMs, offMs: 0 };
  const arrivals = createArrivals(config);
  const windowMs = Math.ceil(config.sinceMs / level.windowMs) * level.windowMs;
  return partialsOfWindow(config, group, { level, windowMs, hasDuplicates }, arrivals);
}

function groupsOf({ devices, hotEvery, hotFactor, intervalMs }: FleetConfig): readonly Group[] {
  const hot = 1 / hotEvery;
  const odd = 1 / oddClockEvery;
  const offs = Array.from(
    { length: clocks },
    (_, place) => ((2 * place + 1) / clocks - 1) * clockOffMaxMs * 0.999,
  );
  return [
    { share: 1 - hot, intervalMs },
    { share: hot, intervalMs: Math.max(Math.round(intervalMs / hotFactor), 1) },
  ].flatMap(({ share, intervalMs: everyMs }) => [
    { devices: devices * share * (1 - odd), intervalMs: everyMs, offMs: 0 },
    ...offs.map((offMs) => ({ devices: (devices * share * odd) / clocks, intervalMs: everyMs, offMs })),
  ]);
}

/** The partials of one device. */
function partialsOf(
  config: FleetConfig,
  group: Group,
  { level, hasDuplicates }: { readonly level: Level; readonly hasDuplicates: boolean },
  arrivals: Arrivals,
): number {
  const { sinceMs, toMs } = config;
  const firstMs = Math.floor((sinceMs + group.offMs) / level.windowMs) * level.windowMs;
  // A window whose readings are all in the run, and whose latest messages too, is like every other.
  const settledMs = toMs - arrivals.latestMs;
  let inner: number | undefined;
  let sum = 0;
  for (let windowMs = firstMs; windowMs < toMs + group.offMs; windowMs += level.windowMs) {
    const isInner = windowMs - group.offMs >= sinceMs && windowMs + level.windowMs - group.offMs <= settledMs;
    if (isInner && inner !== undefined) {
      sum += inner;
      continue;
    }
    const partials = partialsOfWindow(config, group, { level, windowMs, hasDuplicates }, arrivals);
    if (isInner) inner = partials;
    sum += partials;
  }
  return sum;
}

function partialsOfWindow(
  config: FleetConfig,
  group: Group,
  place: { readonly level: Level; readonly windowMs: number; readonly hasDuplicates: boolean },
  arrivals: Arrivals,
): number {
  const { intervalMs, offMs } = group;
  const { level, windowMs, hasDuplicates } = place;
  const { sinceMs, toMs } = config;
  const sinceHereMs = Math.max(windowMs - offMs, sinceMs);
  const toHereMs = Math.min(windowMs + level.windowMs - offMs, toMs);
  const endMs = Math.floor(toMs / level.segmentMs) * level.segmentMs;
  const first = Math.floor(sinceHereMs / level.segmentMs);
  const latest = toHereMs + arrivals.latestMs;
  const last = Math.min(Math.floor(latest / level.segmentMs), endMs / level.segmentMs - 1);
  const lengthMs = toHereMs - sinceHereMs;
  // Devices begin at any time within their interval. One that sends more rarely has at most one reading here.
  const isRare = intervalMs >= lengthMs;
  const phaseMs = isRare ? lengthMs : intervalMs;
  let sum = 0;
  for (let phase = 0; phase < phases; phase++) {
    // By segment: the chance that it has no message of the window.
    const none = new Float64Array(Math.max(last - first + 1, 0)).fill(1);
    const beginMs = sinceHereMs + ((phase + 0.5) / phases) * phaseMs;
    for (let ms = beginMs; ms < toHereMs; ms += intervalMs) {
      for (let segment = Math.floor(ms / level.segmentMs); segment <= last; segment++) {
        const fromMs = segment * level.segmentMs - ms;
        if (fromMs > arrivals.latestMs) break;
        const untilMs = fromMs + level.segmentMs;
        const once = arrivals.once(untilMs) - arrivals.once(fromMs);
        const again = hasDuplicates ? arrivals.again(untilMs) - arrivals.again(fromMs) : 0;
        none[segment - first] = (none[segment - first] as number) * (1 - once) * (1 - again);
      }
    }
    for (const chance of none) sum += 1 - chance;
  }
  return (sum / phases) * (isRare ? lengthMs / intervalMs : 1);
}
