import { runService } from "@devicemesh/kit/lifetime/run-service";
import { ingestSettings } from "./settings.ts";
import { startIngestProcess } from "./start-on-kafka.ts";

await runService({ name: "ingest", definition: ingestSettings, start: startIngestProcess }, process);
