import { createLoopShare } from "@devicemesh/kit/async/event-loop-share";
import { invalidArgument } from "@devicemesh/kit/rpc/rpc-error";
import type { SeriesName, SeriesPartial } from "../store/reading-store.ts";
import { compareNames, compareSeries } from "./series-order.ts";

/** The grouping of the rows of an answer. */
export type Grouping = "series" | "sensor" | "device" | "all";

/** Returns the unit of a sensor's values; empty if it is unknown. */
export type UnitOf = (sensor: string) => string;

/** The aggregate of one group, and of one bucket if there are buckets. */
export type Aggregate = {
  /** Empty if the group spans devices. */
  readonly deviceId: string;
  /** Empty if the group spans sensors. */
  readonly sensor: string;
  readonly unit: string;
  /** The start of the bucket, ms since 1970; 0 if there are none. */
  readonly bucketMs: number;
  readonly partial: ReadingPartial;
  readonly average: number;
  /** The standard deviation of the population. */
  readonly standardDeviation: number;
  readonly fromRaw: number;
};

/** Merges partials into groups. Partials may be added in any order, and call by call. */
export type GroupMerge = {
  /** @throws RpcError INVALID_ARGUMENT on `group_by` if a group would mix units. */
  add(partials: Iterable<SeriesPartial>): void;
  /** Number of aggregates. */
  readonly size: number;
  /** Returns the aggregates so far, by device_id, then sensor (UTF-16 code units), then bucket. */
  aggregates(): Aggregate[];
};

/** Whether the partials of all devices of a sensor may be merged before they are grouped. */
export function mergesDevices(grouping: Grouping): boolean {
  return grouping === "sensor" || grouping === "all";
}

/** Adds many partials, with other work in between. @throws like `add`. */
export async function addInShares(merge: GroupMerge, partials: readonly SeriesPartial[]): Promise<void> {
  if (partials.length <= partialsPerShare) {
    merge.add(partials);
    return;
  }
  const share = createLoopShare();
  for (let start = 0; start < partials.length; start += partialsPerShare) {
    merge.add(partials.slice(start, start + partialsPerShare));
    await share();
  }
}

const partialsPerShare = 1024;

/** Creates an empty merge. It holds one sum for each group and bucket. */
export function createGroupMerge(grouping: Grouping, unitOf: UnitOf): GroupMerge {
  const units = new Map<string, { readonly unit: string; readonly sensor: string }>();
  const sums = new Map<string, { readonly deviceId: string; readonly sensor: string; sum: PartialSum }>();

  return {
    add(partials) {
      for (const partial of partials) {
        if (partial.count === 0) continue;
        const deviceId = grouping === "series" || grouping === "device" ? partial.deviceId : "";
        const sensor = grouping === "series" || grouping === "sensor" ? partial.sensor : "";
        const group = `${deviceId}\n${sensor}`;
        const known = units.get(group);
        if (known === undefined) units.set(group, { unit: unitOf(partial.sensor), sensor: partial.sensor });
        else if (known.sensor !== partial.sensor) {
          const unit = unitOf(partial.sensor);
          // Two unknown units may differ.
          if (known.unit !== unit || unit === "") throw mixedUnits(known.unit, unit);
        }
        const key = `${group}\n${partial.bucketMs}`;
        const entry = sums.get(key);
        if (entry) entry.sum.add(partial);
        else sums.set(key, { deviceId, sensor, sum: createPartialSum(partial) });
      }
    },
    get size() {
      return sums.size;
    },
    aggregates() {
      return [...sums.values()]
        .map(({ deviceId, sensor, sum }) => {
          const partial = sum.total();
          return {
            deviceId,
            sensor,
            unit: units.get(`${deviceId}\n${sensor}`)?.unit ?? "",
            bucketMs: sum.bucketMs,
            partial,
            average: averageOf(partial),
            standardDeviation: standardDeviationOf(partial),
            fromRaw: sum.fromRaw(),
          };
        })
        .sort(byGroupThenBucket);
    },
  };
}

/**
 * Merges at least one partial: counts and sums add up (sums with compensation), M2 by Chan's formula; ties of times go
 * to the earlier timestamp, then to the smaller device_id, then to the smaller sensor.
 */
export function mergePartials(partials: readonly SeriesPartial[]): ReadingPartial {
  const [first, ...others] = partials;
  if (!first) throw new RangeError("there is nothing to merge");
  const sum = createPartialSum(first);
  for (const partial of others) sum.add(partial);
  return sum.total();
}

/** Returns the partial of one reading. */
export function partialOfReading({
  timestampMs,
  value,
}: {
  readonly timestampMs: number;
  readonly value: number;
}): ReadingPartial {
  return {
    count: 1,
    sum: value,
    minimum: value,
    maximum: value,
    minimumAtMs: timestampMs,
    maximumAtMs: timestampMs,
    firstAtMs: timestampMs,
    firstValue: value,
    lastAtMs: timestampMs,
    lastValue: value,
    m2: 0,
  };
}

function byGroupThenBucket(a: Aggregate, b: Aggregate): number {
  return compareSeries(a, b) || a.bucketMs - b.bucketMs;
}

function mixedUnits(a: string, b: string) {
  const [first, second] = [a, b].sort(compareNames).map((unit) => unit || "an unknown unit");
  return invalidArgument({
    field: "group_by",
    description: `readings in ${first} and in ${second} cannot be one group: filter by sensors of one unit, or group by series or by sensor`,
    reason: "MIXED_UNITS",
  });
}

/**
 * The summary of some readings of one series. Partials can be merged; finished averages cannot, so none is stored.
 */
export type ReadingPartial = {
  readonly count: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
  /** The earliest time of the minimum, ms since 1970. */
  readonly minimumAtMs: number;
  /** The earliest time of the maximum, ms since 1970. */
  readonly maximumAtMs: number;
  readonly firstAtMs: number;
  readonly firstValue: number;
  readonly lastAtMs: number;
  readonly lastValue: number;
  /** The sum of squared distances from the mean (M2), merged by Chan's formula, never from sums of squares. */
  readonly m2: number;
};

/**
 * Returns sum / count, within the minimum and the maximum whatever the rounding of the sum in any store and level.
 */
export function averageOf({ sum, count, minimum, maximum }: ReadingPartial): number {
  return Math.min(Math.max(sum / count, minimum), maximum);
}

/**
 * Returns the standard deviation of the population: 0 if all values are equal, and at most half of the range, which is
 * its mathematical bound.
 */
export function standardDeviationOf({ m2, count, minimum, maximum }: ReadingPartial): number {
  return Math.min(Math.sqrt(Math.max(m2, 0) / count), (maximum - minimum) / 2);
}

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
