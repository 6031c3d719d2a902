/** An average whose values are weighted by the time for which they hold, and the sum of that time. */
export type TimeWeighted = { readonly average: number; readonly coveredMs: number };

/** A part of the time, [sinceMs, toMs), and the sum of the values that hold in it. */
export type HeldSpan = { readonly sinceMs: number; readonly toMs: number; readonly sum: HeldSum };

/** A sum of values by the time for which they hold. */
export type HeldSum = {
  add(value: number, ms: number): void;
  /** Returns the average so far; undefined if no value holds for any time. */
  result(): TimeWeighted | undefined;
};

/** The values of series as they hold: a reading's until the next reading of its series, at most for `maxHoldMs`. */
export type HeldValues = {
  /**
   * Adds the next reading of a series, in the order of time. `spans` are those of its rows, in the order of time and
   * disjoint; always the same for one series.
   */
  add(
    series: string,
    reading: { readonly timestampMs: number; readonly value: number },
    spans: readonly HeldSpan[],
  ): void;
  /** Ends the values that still hold, one of each series; to be iterated once, with other work in between. */
  end(): Iterable<void>;
};

/** Creates an empty sum. */
export function createHeldSum(): HeldSum {
  // The sum of value times ms is high + low: low has the rounding error of high (Neumaier).
  let [high, low, coveredMs] = [0, 0, 0];
  let [minimum, maximum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  return {
    add(value, ms) {
      const weighted = value * ms;
      const next = high + weighted;
      low += Math.abs(high) >= Math.abs(weighted) ? high - next + weighted : weighted - next + high;
      high = next;
      coveredMs += ms;
      minimum = Math.min(minimum, value);
      maximum = Math.max(maximum, value);
    },
    result() {
      if (coveredMs === 0) return undefined;
      // Never outside the values, whatever the rounding.
      return { average: Math.min(Math.max((high + low) / coveredMs, minimum), maximum), coveredMs };
    },
  };
}

/** Creates the values of series before their first readings. It holds one reading of each series. */
export function createHeldValues(maxHoldMs: number): HeldValues {
  type Held = { timestampMs: number; value: number; readonly spans: readonly HeldSpan[] };
  const held = new Map<string, Held>();

  function addUntil({ timestampMs, value, spans }: Held, nextMs: number): void {
    const untilMs = Math.min(nextMs, timestampMs + maxHoldMs);
    for (let place = firstEndingAfter(spans, timestampMs); place < spans.length; place++) {
      const { sinceMs, toMs, sum } = spans[place] as HeldSpan;
      if (sinceMs >= untilMs) return;
      sum.add(value, Math.min(untilMs, toMs) - Math.max(timestampMs, sinceMs));
    }
  }

  return {
    add(series, { timestampMs, value }, spans) {
      const last = held.get(series);
      if (!last) {
        held.set(series, { timestampMs, value, spans });
        return;
      }
      addUntil(last, timestampMs);
      last.timestampMs = timestampMs;
      last.value = value;
    },
    *end() {
      for (const last of held.values()) {
        addUntil(last, Number.POSITIVE_INFINITY);
        yield;
      }
    },
  };
}

/** Returns the place of the first span that ends after a time. */
function firstEndingAfter(spans: readonly HeldSpan[], ms: number): number {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle] as HeldSpan).toMs > ms) high = middle;
    else low = middle + 1;
  }
  return low;
}
