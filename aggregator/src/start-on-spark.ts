import { readContractImage } from "@devicemesh/proto/image";
import type { AggregatorConfig } from "./settings.ts";
import { type Aggregator, type AggregatorDependencies, startAggregator } from "./start.ts";
import { sparkWindowJob } from "./window-job/open-window-job.ts";

/** Starts the aggregator with its window job on Spark Connect; see startAggregator. */
export function startAggregatorOnSpark(
  config: AggregatorConfig,
  dependencies: Omit<AggregatorDependencies, "image" | "startWindowJob">,
): Promise<Aggregator> {
  const startWindowJob = sparkWindowJob(config, dependencies.logger);
  return startAggregator(config, { ...dependencies, image: readContractImage(), startWindowJob });
}
