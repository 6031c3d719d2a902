import { Readable } from "node:stream";
import { systemClock } from "@devicemesh/client/clock";
import { runImport } from "../src/start.ts";

/** Runs `npm run import` with these arguments in this process; resolves to its exit code and everything it printed. */
export async function importRecordings(
  args: readonly string[],
): Promise<{ readonly code: number; readonly output: string }> {
  let output = "";
  const write = (text: string) => (output += text);
  const code = await runImport({
    args: [...args],
    env: {},
    stdin: Readable.from([]),
    stdout: { write },
    stderr: { write },
    clock: systemClock,
    interrupted: new AbortController().signal,
  });
  return { code, output };
}
