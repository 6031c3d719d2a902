import { runService } from "@devicemesh/kit/run-service";
import { readContractImage } from "@devicemesh/proto/image";
import { startAggregator } from "./compose.ts";
import { aggregatorSettings } from "./config.ts";
import { sparkWindowJob } from "./open-window-job.ts";

await runService(
  {
    name: "aggregator",
    definition: aggregatorSettings,
    start: (config, { logger, clock, metrics }) =>
      startAggregator(config, {
        logger,
        clock,
        metrics,
        image: readContractImage(),
        startWindowJob: sparkWindowJob(config, logger),
      }),
  },
  process,
);
