import type { SeriesName, SeriesPartial } from "../store/reading-store.ts";
import type { ReadingPartial } from "./partial.ts";
import { compareSeries } from "./series-order.ts";

/** Partials of one bucket that are merged as they are added. */
export type PartialSum = {
  readonly bucketMs: number;
  add(partial: SeriesPartial): void;
  total(): ReadingPartial;
  fromRaw(): number;
  /** The series of the first reading and of the last. */
  first(): SeriesName;
  last(): SeriesName;
};

/**
 * Begins a sum with a partial: counts and sums add up (sums with compensation), M2 by Chan's formula; ties of times go
 * to the smaller device_id, then to the smaller sensor.
 */
export function createPartialSum(start: SeriesPartial): PartialSum {
  let { count, minimum, maximum, minimumAtMs, maximumAtMs, m2, fromRaw } = start;
  // The sum is high + low: low has the rounding error of high (Neumaier).
  let high = start.sum;
  let low = 0;
  let first: SeriesPartial = start;
  let last: SeriesPartial = start;

  function addSum(value: number): void {
    const next = high + value;
    low += Math.abs(high) >= Math.abs(value) ? high - next + value : value - next + high;
    high = next;
  }

  return {
    bucketMs: start.bucketMs,
    add(partial) {
      const delta = partial.sum / partial.count - (high + low) / count;
      m2 += partial.m2 + delta * delta * ((count * partial.count) / (count + partial.count));
      count += partial.count;
      fromRaw += partial.fromRaw;
      addSum(partial.sum);
      if (partial.minimum < minimum) {
        minimum = partial.minimum;
        minimumAtMs = partial.minimumAtMs;
      } else if (partial.minimum === minimum) {
        minimumAtMs = Math.min(minimumAtMs, partial.minimumAtMs);
      }
      if (partial.maximum > maximum) {
        maximum = partial.maximum;
        maximumAtMs = partial.maximumAtMs;
      } else if (partial.maximum === maximum) {
        maximumAtMs = Math.min(maximumAtMs, partial.maximumAtMs);
      }
      const earlier = partial.firstAtMs - first.firstAtMs || compareSeries(firstOf(partial), firstOf(first));
      if (earlier < 0) first = partial;
      const later = last.lastAtMs - partial.lastAtMs || compareSeries(lastOf(partial), lastOf(last));
      if (later < 0) last = partial;
    },
    total: () => ({
      count,
      sum: high + low,
      minimum,
      maximum,
      minimumAtMs,
      maximumAtMs,
      firstAtMs: first.firstAtMs,
      firstValue: first.firstValue,
      lastAtMs: last.lastAtMs,
      lastValue: last.lastValue,
      m2,
    }),
    fromRaw: () => fromRaw,
    first: () => firstOf(first),
    last: () => lastOf(last),
  };
}

function firstOf({ deviceId, sensor, firstDeviceId = deviceId }: SeriesPartial): SeriesName {
  return { deviceId: firstDeviceId, sensor };
}

function lastOf({ deviceId, sensor, lastDeviceId = deviceId }: SeriesPartial): SeriesName {
  return { deviceId: lastDeviceId, sensor };
}
