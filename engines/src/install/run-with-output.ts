import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/**
 * Runs a program to its end, passes on each line of its output, and resolves with its exit code. The program and its
 * child processes are killed when the signal aborts, or when this process ends.
 * @throws the signal's reason; Error if the program cannot be run.
 */
export async function runWithOutput(
  command: string,
  args: readonly string[],
  options: { readonly onLine: (line: string) => void; readonly signal?: AbortSignal | undefined },
): Promise<number | undefined> {
  const { onLine, signal } = options;
  signal?.throwIfAborted();
  // A separate process group, so that its child processes can be killed with it.
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
    // The program has already ended.
  }
}
