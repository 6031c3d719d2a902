import { runService } from "@devicemesh/kit/run-service";
import { startQueryProcess } from "./process.ts";
import { querySettings } from "./process-settings.ts";

await runService({ name: "query", definition: querySettings, start: startQueryProcess }, process);
