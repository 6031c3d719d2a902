import { createLoopShare } from "@devicemesh/kit/async/event-loop-share";

/** The value below which the given share of the values lies. */
export type QuantileValue = {
  readonly quantile: number;
  readonly value: number;
  /** 0 if the value is exact; otherwise see `sketchQuantiles`. */
  readonly relativeError: number;
};

/** Number of values that are sorted at a time: a few milliseconds of work. */
const sortedPerPart = 32_768;

/**
 * Returns exact quantiles of at least one value, by linear interpolation between the two sorted values next to the rank
 * `quantile * (count - 1)`: 0 is the minimum, 0.5 the median and 1 the maximum. Other work can run while it sorts. The
 * values are sorted in place.
 */
export async function quantilesOf(
  values: Float64Array,
  quantiles: readonly number[],
): Promise<readonly QuantileValue[]> {
  const sorted = await sortedInParts(values);
  return quantiles.map((quantile) => {
    const rank = quantile * (sorted.length - 1);
    const low = Math.floor(rank);
    const [below, above] = [sorted[low] as number, sorted[Math.ceil(rank)] as number];
    // Never outside the two, whatever the rounding.
    const value = Math.min(Math.max(below + (rank - low) * (above - below), below), above);
    return { quantile, value, relativeError: 0 };
  });
}

async function sortedInParts(values: Float64Array): Promise<Float64Array> {
  const share = createLoopShare();
  let parts: Float64Array[] = [];
  for (let start = 0; start < values.length; start += sortedPerPart) {
    parts.push(values.subarray(start, start + sortedPerPart).sort());
    await share();
  }
  while (parts.length > 1) {
    const wider: Float64Array[] = [];
    for (let place = 0; place < parts.length; place += 2) {
      const [a, b] = [parts[place] as Float64Array, parts[place + 1]];
      wider.push(b ? merged(a, b) : a);
      await share();
    }
    parts = wider;
  }
  return parts[0] ?? values;
}

function merged(a: Float64Array, b: Float64Array): Float64Array {
  const result = new Float64Array(a.length + b.length);
  for (let place = 0, i = 0, j = 0; place < result.length; place++) {
    const takesA = j >= b.length || (i < a.length && (a[i] as number) <= (b[j] as number));
    result[place] = (takesA ? a[i++] : b[j++]) as number;
  }
  return result;
}
