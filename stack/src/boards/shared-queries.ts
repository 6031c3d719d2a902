/** The labels of calls that are of our contract, not of health or reflection. */
export const ours = `{grpc_service=~"devicemesh.+"}`;

/** The codes that say that we failed; the others are the caller's or a limit. */
export const failureCodes = "Unknown|Internal|Unavailable|DataLoss|DeadlineExceeded";

/** How far the finest windows are behind: of all levels the one with the youngest frontier. */
export const finestFrontierAge = "min(devicemesh_aggregator_frontier_age_seconds)";

/** The share of calls that failed by our fault, within a time; 0 where there are no calls. By labels if any. */
export function failedShare(time: string, ...by: readonly string[]): string {
  const grouped = by.length === 0 ? "" : ` by (${by.join(", ")})`;
  const within = (selector: string) => `sum${grouped} (rate(grpc_server_handled_total${selector}[${time}]))`;
  return `${within(`{grpc_service=~"devicemesh.+", grpc_code=~"${failureCodes}"}`)} / (${within(ours)} > 0) or 0 * ${within(ours)}`;
}
