import { withoutCredentials } from "@devicemesh/kit/credentials";
import { runService } from "@devicemesh/kit/run-service";
import { loadSettings } from "@devicemesh/kit/settings";
import { readContractImage } from "@devicemesh/proto/image";
import { startOperator } from "./compose.ts";
import { operatorSettings } from "./config.ts";
import { planMesh } from "./plan.ts";

const loaded = loadSettings(operatorSettings, { args: process.argv.slice(2), env: process.env });
if (loaded.kind === "settings" && loaded.values.plan) {
  try {
    const plan = await planMesh(loaded.values);
    process.stdout.write(plan.text);
    process.exitCode = plan.exitCode;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`operator: ${withoutCredentials(message)}\n`);
    process.exitCode = 1;
  }
  process.exit();
}

await runService(
  {
    name: "operator",
    definition: operatorSettings,
    start: (config, dependencies) => startOperator(config, { ...dependencies, image: readContractImage() }),
  },
  process,
);
