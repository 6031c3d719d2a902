// Parts of PromQL that boards share. `$__rate_interval` is Grafana's: long enough for a rate at any zoom.

/** The increase of a counter a second, summed, by the labels if any. */
export function rate(counter: string, ...by: readonly string[]): string {
  return `sum${grouping(by)} (rate(${counter}[$__rate_interval]))`;
}

/** The quantile of a histogram, by the labels if any. */
export function quantile(share: number, histogram: string, ...by: readonly string[]): string {
  return `histogram_quantile(${share}, ${rate(histogramBuckets(histogram), "le", ...by)})`;
}

/** The number of events in each bucket of a histogram, for a distribution. */
export function buckets(histogram: string): string {
  return `sum by (le) (increase(${histogramBuckets(histogram)}[$__rate_interval]))`;
}

function grouping(by: readonly string[]): string {
  return by.length === 0 ? "" : ` by (${by.join(", ")})`;
}

/** Converts `name{labels}` to `name_bucket{labels}`. */
function histogramBuckets(histogram: string): string {
  const [, name, labels = ""] = /^(\w+)(\{.*\})?$/.exec(histogram) ?? [];
  if (name === undefined) throw new Error(`not a histogram: ${histogram}`);
  return `${name}_bucket${labels}`;
}
