import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { runStackCommand } from "./deploy/run-command.ts";
import { type StackCommand, type StackConfig, stackCommands } from "./settings.ts";

/**
 * Runs the command that the first argument names, and resolves with the exit code.
 * @throws SettingsError for another argument, DockerError, or Error with what is to be done first.
 */
export async function startStack(
  config: StackConfig,
  [name]: readonly string[],
  { env, stdout, stderr }: Pick<NodeJS.Process, "env" | "stdout" | "stderr">,
): Promise<number> {
  const command = stackCommands.find((known): known is StackCommand => known === name);
  if (command === undefined) {
    throw new SettingsError(
      `the first argument is one of ${stackCommands.join(", ")}; --help lists all flags`,
    );
  }
  return await runStackCommand(command, config, {
    env,
    report: (line) => stderr.write(`${line}\n`),
    print: (text) => stdout.write(text),
    nowMs: Date.now(),
  });
}
