/** Measures a rate a second, over the last ten seconds, or since the first count if that is shorter. */
export type RateMeter = {
  add(count: number, nowMs: number): void;
  perSecond(nowMs: number): number;
};

/** Creates a meter with one counter for each of the last ten seconds. */
export function createRateMeter(): RateMeter {
  const counts = new Float64Array(spanSeconds);
  let newest = Number.NEGATIVE_INFINITY;
  let firstMs: number | undefined;

  function advance(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second - newest >= spanSeconds || second < newest) {
      // No count for a long time, or the clock was set back: the measurement starts again.
      counts.fill(0);
      firstMs = undefined;
    }
    for (let passed = Math.max(newest, second - spanSeconds) + 1; passed <= second; passed++) {
      counts[passed % spanSeconds] = 0;
    }
    newest = second;
  }

  return {
    add(count, nowMs) {
      advance(nowMs);
      firstMs ??= nowMs;
      counts[newest % spanSeconds]! += count;
    },
    perSecond(nowMs) {
      advance(nowMs);
      const sum = counts.reduce((total, count) => total + count, 0);
      const seconds = firstMs === undefined ? spanSeconds : (nowMs - firstMs) / 1000;
      return sum / Math.min(Math.max(seconds, 1), spanSeconds);
    },
  };
}

const spanSeconds = 10;
