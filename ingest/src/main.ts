import { runService } from "@devicemesh/kit/run-service";
import { startIngestProcess } from "./process.ts";
import { ingestSettings } from "./process-settings.ts";

await runService({ name: "ingest", definition: ingestSettings, start: startIngestProcess }, process);
