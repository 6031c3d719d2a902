import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Runs a program to its end, gives each line that it prints, and resolves with its exit code. */
export async function runWithOutput(
  command: string,
  args: readonly string[],
  onLine: (line: string) => void,
): Promise<number | undefined> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", onLine);
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? undefined));
  });
}
