/** Counts events over the last ten seconds. */
export type RateMeter = {
  add(count: number): void;
  /** Events a second, over the last ten seconds. */
  perSecond(): number;
};

const secondsKept = 10;

/** Makes a meter with one bin for each of the last ten seconds of `clock` (ms). */
export function createRateMeter(clock: () => number): RateMeter {
  const bins = new Float64Array(secondsKept);
  const binSecond = new Float64Array(secondsKept);
  return {
    add(count) {
      const second = Math.floor(clock() / 1000);
      const bin = ((second % secondsKept) + secondsKept) % secondsKept;
      if (binSecond[bin] !== second) {
        binSecond[bin] = second;
        bins[bin] = 0;
      }
      bins[bin] = (bins[bin] ?? 0) + count;
    },
    perSecond() {
      const oldest = Math.floor(clock() / 1000) - secondsKept;
      const total = bins.reduce((sum, count, bin) => ((binSecond[bin] ?? 0) > oldest ? sum + count : sum), 0);
      return total / secondsKept;
    },
  };
}
