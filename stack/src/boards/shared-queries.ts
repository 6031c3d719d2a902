/** The labels of calls of our contract, without health and reflection. */
export const ours = `{grpc_service=~"devicemesh.+"}`;

/** The codes of server failures; the others are the caller's fault or a limit. */
export const failureCodes = "Unknown|Internal|Unavailable|DataLoss|DeadlineExceeded";

/** The lag of the finest windows: of all levels, the one with the latest frontier. */
export const finestFrontierAge = "min(devicemesh_aggregator_frontier_age_seconds)";

/** The share of calls that failed on the server's side, within a time; 0 if there are no calls. By labels if any. */
export function failedShare(time: string, ...by: readonly string[]): string {
  const grouped = by.length === 0 ? "" : ` by (${by.join(", ")})`;
  const within = (selector: string) => `sum${grouped} (rate(grpc_server_handled_total${selector}[${time}]))`;
  return `${within(`{grpc_service=~"devicemesh.+", grpc_code=~"${failureCodes}"}`)} / (${within(ours)} > 0) or 0 * ${within(ours)}`;
}
