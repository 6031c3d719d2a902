// Pieces of PromQL that boards say again and again. `$__rate_interval` is Grafana's: long enough for a rate at
// any zoom.

/** A second's worth of a counter, summed, by the labels if any. */
export function rate(counter: string, ...by: readonly string[]): string {
  return `sum${grouping(by)} (rate(${counter}[$__rate_interval]))`;
}

/** The value that so large a share of a histogram's events stayed below, by the labels if any. */
export function quantile(share: number, histogram: string, ...by: readonly string[]): string {
  return `histogram_quantile(${share}, ${rate(histogramBuckets(histogram), "le", ...by)})`;
}

/** How many events fell into each bucket of a histogram, for a spread. */
export function buckets(histogram: string): string {
  return `sum by (le) (increase(${histogramBuckets(histogram)}[$__rate_interval]))`;
}

function grouping(by: readonly string[]): string {
  return by.length === 0 ? "" : ` by (${by.join(", ")})`;
}

/** `name{labels}` to `name_bucket{labels}`. */
function histogramBuckets(histogram: string): string {
  const [, name, labels = ""] = /^(\w+)(\{.*\})?$/.exec(histogram) ?? [];
  if (name === undefined) throw new Error(`not a histogram: ${histogram}`);
  return `${name}_bucket${labels}`;
}
