import { runService } from "@devicemesh/kit/lifetime/run-service";
import { aggregatorSettings } from "./settings.ts";
import { startAggregatorOnSpark } from "./start-on-spark.ts";

await runService(
  { name: "aggregator", definition: aggregatorSettings, start: startAggregatorOnSpark },
  process,
);
