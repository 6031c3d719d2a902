import { withoutCredentials } from "@devicemesh/kit/observability/redact-credentials";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { planMesh } from "./definition/plan.ts";
import { replayLog } from "./replay/replay-log.ts";
import { type OperatorConfig, operatorSettings } from "./settings.ts";

/**
 * Runs the task of `--plan` or `--replay`, if one of them is set, and ends the process with the exit code of the task,
 * or with 1 and the reason of its failure. Returns if neither is set.
 */
export async function runTask(runtime: NodeJS.Process): Promise<void> {
  const loaded = loadSettings(operatorSettings, { args: runtime.argv.slice(2), env: runtime.env });
  if (loaded.kind !== "settings") return;
  const task = taskOf(loaded.values, runtime.stdout);
  if (task === undefined) return;
  try {
    runtime.exitCode = await task();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    runtime.stderr.write(`operator: ${withoutCredentials(message)}\n`);
    runtime.exitCode = 1;
  }
  runtime.exit();
}

function taskOf(
  config: OperatorConfig,
  stdout: Pick<NodeJS.WritableStream, "write">,
): (() => Promise<number>) | undefined {
  const { plan, replay } = config;
  if (plan)
    return async () => {
      const { text, exitCode } = await planMesh(config);
      stdout.write(text);
      return exitCode;
    };
  if (replay === undefined) return undefined;
  return async () => {
    await replayLog(config, replay, { report: (line) => stdout.write(`${line}\n`) });
    return 0;
  };
}
