import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { insideNamespace } from "../machine/network.ts";
import type { RunOptions, Shell } from "../machine/shell.ts";

/** The section of docs/running.md whose commands the lab runs. */
export const walkTitle = "## From a fresh Debian to the first answer";

/**
 * The commands of the walk, as the page has them: the lines of its `sh` blocks, without what follows ` #`.
 * @throws Error if the page has no such section, or no command in it.
 */
export function walkCommands(page: string): readonly string[] {
  const [, section] = page.split(`${walkTitle}\n`);
  if (section === undefined) throw new Error(`docs/running.md has no section "${walkTitle}"`);
  const [body = ""] = section.split(/^## /m);
  const commands = [...body.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].flatMap(([, block = ""]) =>
    block
      .replaceAll(/\\\n\s*/g, "")
      .split("\n")
      .map((line) => line.replace(/\s+#\s.*$/, "").trim())
      .filter((line) => line !== ""),
  );
  if (commands.length === 0) throw new Error(`"${walkTitle}" has no commands`);
  return commands;
}

/** What running the walk needs. */
export type Walk = {
  readonly shell: Shell;
  /** The checkout, whose docs/running.md is followed. */
  readonly folder: string;
  /** For `docker`, and for the lab's overlay. */
  readonly env: Readonly<Record<string, string>>;
  readonly report: (line: string) => void;
  /** Resolves when every service has its tasks, which the page asks to wait for. */
  untilHealthy(): Promise<number>;
};

const answerLimitMs = 600_000;

/**
 * Runs the commands of the page one after the other, word by word, in the network of node 1.
 * @throws Error for the first command that fails, or if the last one is never answered with the reading.
 */
export async function walk({ shell, folder, env, report, untilHealthy }: Walk): Promise<void> {
  const commands = walkCommands(readFileSync(join(folder, "docs/running.md"), "utf8"));
  const last = commands.at(-1);
  const run = async (command: string): Promise<string> => {
    const options: RunOptions = { cwd: folder, env };
    return await shell.run(insideNamespace(1, ["bash", "-ec", command]), options);
  };
  for (const command of commands) {
    report(`$ ${command}`);
    if (command === last) break;
    const output = (await run(command)).trim();
    for (const line of output.split("\n").slice(-3)) report(`  ${line}`);
    if (command.startsWith("docker stack services")) report(`  healthy after ${await untilHealthy()} s`);
  }
  const startMs = performance.now();
  for (;;) {
    const answer = (await run(last ?? "")).trim();
    if (answer.includes('"count":"1"') && answer.includes("21.5")) {
      report(`  ${answer}`);
      report(
        `walk: ${commands.length} commands, the first answer ${Math.round((performance.now() - startMs) / 1000)} s after the reading`,
      );
      return;
    }
    if (performance.now() - startMs > answerLimitMs)
      throw new Error(`the walk ends without an answer: ${answer}`);
    await delay(1000, undefined, { signal: shell.signal });
  }
}
