import { runService } from "@devicemesh/kit/lifetime/run-service";
import { operatorSettings } from "./settings.ts";
import { startOperator } from "./start.ts";
import { runTask } from "./tasks.ts";

await runTask(process);
await runService({ name: "operator", definition: operatorSettings, start: startOperator }, process);
