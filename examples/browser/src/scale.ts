const timeStepsMs = [
  10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
  1_209_600, 2_592_000,
].map((seconds) => seconds * 1000);

/** Returns round values around the smallest and the largest; at most about `count` of them. */
export function valueTicks(minimum: number, maximum: number, count: number): number[] {
  if (minimum === maximum) return valueTicks(minimum - 1, maximum + 1, count);
  const range = maximum - minimum;
  const rough = range / Math.max(count - 1, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor(minimum / step);
  const last = Math.ceil(maximum / step);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

/** Returns round times in a span, at most about `count` of them, and the step between them. */
export function timeTicks(
  sinceMs: number,
  toMs: number,
  count: number,
): { readonly stepMs: number; readonly ticks: readonly number[] } {
  const rough = (toMs - sinceMs) / Math.max(count, 1);
  const stepMs = timeStepsMs.find((step) => step >= rough) ?? Math.ceil(rough);
  const first = Math.ceil(sinceMs / stepMs);
  const length = Math.max(Math.floor(toMs / stepMs) - first + 1, 0);
  return { stepMs, ticks: Array.from({ length }, (_, index) => (first + index) * stepMs) };
}
