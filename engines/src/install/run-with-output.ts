import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/**
 * Runs a program to its end, gives each line that it prints, and resolves with its exit code. It and all that it starts
 * is killed when the signal aborts, or when this process ends.
 * @throws the signal's reason; Error if the program cannot be run.
 */
export async function runWithOutput(
  command: string,
  args: readonly string[],
  options: { readonly onLine: (line: string) => void; readonly signal?: AbortSignal | undefined },
): Promise<number | undefined> {
  const { onLine, signal } = options;
  signal?.throwIfAborted();
  // A group of its own, so that what it starts can be killed with it.
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const kill = (): void => killGroup(child.pid);
  signal?.addEventListener("abort", kill, { once: true });
  process.once("exit", kill);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", onLine);
  }
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    signal?.throwIfAborted();
    return code ?? undefined;
  } finally {
    signal?.removeEventListener("abort", kill);
    process.removeListener("exit", kill);
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
