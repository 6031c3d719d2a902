import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { runCommand } from "./deploy/run-command.ts";
import { type StackCommand, stackCommands, stackSettings } from "./settings.ts";

const loaded = loadSettings(stackSettings, { args: process.argv.slice(2), env: process.env });
if (loaded.kind === "settings") {
  const command = loaded.positionals[0] as StackCommand | undefined;
  if (command === undefined || !stackCommands.includes(command)) {
    process.stderr.write(
      `stack: the first argument is one of ${stackCommands.join(", ")}; --help tells more\n`,
    );
    process.exitCode = 2;
  } else {
    try {
      process.exitCode = await runCommand(command, loaded.values, {
        env: process.env,
        say: (line) => process.stderr.write(`${line}\n`),
        print: (text) => process.stdout.write(text),
        nowMs: Date.now(),
      });
    } catch (error) {
      process.stderr.write(`stack:${command}: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  }
} else {
  (loaded.kind === "help" ? process.stdout : process.stderr).write(loaded.text);
  process.exitCode = loaded.kind === "help" ? 0 : 2;
}
