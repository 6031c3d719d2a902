export type { StartWindowJob } from "./active-aggregator.ts";
export { aggregatorMetrics } from "./metrics.ts";
export { type AggregatorConfig, aggregatorSettings } from "./settings.ts";
export { type Aggregator, type AggregatorDependencies, startAggregator } from "./start.ts";
export { sparkWindowJob } from "./window-job/open-window-job.ts";
export { openWindowSession } from "./window-job/window-job-session.ts";
