import { withoutCredentials } from "../observability/redact-credentials.ts";
import {
  loadSettings,
  type Setting,
  type SettingsDefinition,
  type SettingValues,
} from "../settings/define-settings.ts";
import { SettingsError } from "../settings/settings-error.ts";

/** A program that performs one task and ends. */
export type CommandProgram<Settings extends Readonly<Record<string, Setting>>> = {
  /** Prefix of its error messages. */
  readonly name: string;
  readonly definition: SettingsDefinition<Settings>;
  /** Performs the task and resolves to the exit code. */
  run(values: SettingValues<Settings>, positionals: readonly string[]): Promise<number>;
};

/**
 * Runs a program of one task: reads flags and environment, prints help or all problems of the settings, runs it, and
 * sets the exit code: that of `run`, 0 for `--help`, 1 with `name: message` on standard error if `run` rejects, 2 if a
 * setting is wrong or `run` rejects with a SettingsError. It does not end the process.
 */
export async function runCommand<const Settings extends Readonly<Record<string, Setting>>>(
  { name, definition, run }: CommandProgram<Settings>,
  runtime: NodeJS.Process,
): Promise<void> {
  const loaded = loadSettings(definition, { args: runtime.argv.slice(2), env: runtime.env });
  if (loaded.kind !== "settings") {
    (loaded.kind === "help" ? runtime.stdout : runtime.stderr).write(loaded.text);
    runtime.exitCode = loaded.kind === "help" ? 0 : 2;
    return;
  }
  try {
    runtime.exitCode = await run(loaded.values, loaded.positionals);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    runtime.stderr.write(`${name}: ${withoutCredentials(message)}\n`);
    runtime.exitCode = error instanceof SettingsError ? 2 : 1;
  }
}
