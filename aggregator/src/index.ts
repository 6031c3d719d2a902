export type { StartWindowJob } from "./active.ts";
export { type Aggregator, type AggregatorDependencies, startAggregator } from "./compose.ts";
export { type AggregatorConfig, aggregatorSettings } from "./config.ts";
export { aggregatorMetrics } from "./metrics.ts";
export { sparkWindowJob } from "./open-window-job.ts";
export { openWindowSession } from "./window-job-session.ts";
