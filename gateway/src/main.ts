import { runService } from "@devicemesh/kit/lifetime/run-service";
import { gatewayProgramSettings } from "./settings.ts";
import { startGateway } from "./start.ts";

await runService({ name: "gateway", definition: gatewayProgramSettings, start: startGateway }, process);
