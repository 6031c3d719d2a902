import { runService } from "@devicemesh/kit/lifetime/run-service";
import { withoutCredentials } from "@devicemesh/kit/observability/redact-credentials";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { readContractImage } from "@devicemesh/proto/image";
import { planMesh } from "./definition/plan.ts";
import { replayLog } from "./replay/replay-log.ts";
import { operatorSettings } from "./settings.ts";
import { startOperator } from "./start.ts";

const loaded = loadSettings(operatorSettings, { args: process.argv.slice(2), env: process.env });
if (loaded.kind === "settings") {
  const { values } = loaded;
  if (values.plan) {
    await once(async () => {
      const plan = await planMesh(values);
      process.stdout.write(plan.text);
      return plan.exitCode;
    });
  }
  const { replay } = values;
  if (replay !== undefined) {
    await once(async () => {
      await replayLog(values, replay, { say: (line) => process.stdout.write(`${line}\n`) });
      return 0;
    });
  }
}

/** Does one thing instead of running, and ends the process: with its exit code, or with 1 and why it failed. */
async function once(run: () => Promise<number>): Promise<never> {
  try {
    process.exitCode = await run();
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
