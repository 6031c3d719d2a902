import { setTimeout as delay } from "node:timers/promises";
import type { Engine } from "../machine/engine.ts";
import { throwIfEnding } from "../machine/shell.ts";

const pollMs = 2000;

/** A service with missing tasks, as `NAME RUNNING/WANTED`. */
async function incomplete(manager: Engine, stack: string): Promise<readonly string[]> {
  const rows = await manager.docker([
    ...["service", "ls", "--filter", `label=com.docker.stack.namespace=${stack}`],
    ...["--format", "{{.Name}} {{.Replicas}}"],
  ]);
  return rows
    .trim()
    .split("\n")
    .map((row) => row.replace(`${stack}_`, ""))
    .filter((row) => {
      const [, running, wanted] = / (\d+)\/(\d+)/.exec(row) ?? [];
      // A finished job has a suffix after its count: 0/1 (1/1 completed).
      return running !== wanted && !/\((\d+)\/\1 completed\)/.test(row);
    });
}

/**
 * Resolves with the seconds it took until every service of the stack has all its tasks, healthy; reports what is missing
 * whenever that changes.
 * @throws Error with the services that lack tasks, and why their last tasks ended, if nothing changes for the limit.
 */
export async function untilHealthy(
  manager: Engine,
  stack: string,
  { report, limitMs = 900_000 }: { readonly report: (line: string) => void; readonly limitMs?: number },
): Promise<number> {
  const startMs = performance.now();
  let changedMs = startMs;
  let shown = "";
  for (;;) {
    const missing = await incomplete(manager, stack).catch((error: Error) => {
      throwIfEnding(error);
      return [error.message];
    });
    const seconds = Math.round((performance.now() - startMs) / 1000);
    if (missing.length === 0) return seconds;
    const text = missing.join(", ");
    if (text !== shown) {
      report(`  ${seconds} s: waiting for ${text}`);
      changedMs = performance.now();
    }
    shown = text;
    if (performance.now() - changedMs > limitMs) {
      throw new Error(`not healthy after ${seconds} s: ${text}\n${await whyNot(manager, stack)}`);
    }
    await delay(pollMs);
  }
}

/** The tasks that failed, with their errors. */
async function whyNot(manager: Engine, stack: string): Promise<string> {
  const tasks = await manager.docker([
    ...["stack", "ps", "--no-trunc", stack],
    ...["--format", "{{.Name}} on {{.Node}}: {{.CurrentState}} {{.Error}}"],
  ]);
  const failed = tasks.split("\n").filter((task) => !/: Running|: Shutdown|: Complete/.test(task));
  return failed.slice(0, 20).join("\n");
}
