import { runService } from "@devicemesh/kit/lifetime/run-service";
import { readContractImage } from "@devicemesh/proto/image";
import { aggregatorSettings } from "./settings.ts";
import { startAggregator } from "./start.ts";
import { sparkWindowJob } from "./window-job/open-window-job.ts";

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
