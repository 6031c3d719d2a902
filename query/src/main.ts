import { runService } from "@devicemesh/kit/lifetime/run-service";
import { querySettings } from "./settings.ts";
import { startQueryProcess } from "./start-on-mongo.ts";

await runService({ name: "query", definition: querySettings, start: startQueryProcess }, process);
