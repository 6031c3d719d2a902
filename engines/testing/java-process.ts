import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";

/** The options of a JVM for a test: it starts quickly. */
export function quickJava(classPath: string, more: readonly string[] = []): readonly string[] {
  return [...more, "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classPath];
}

/** Starts a JVM with its output in a file of `folder`. Resolves when it is ready; disposing kills it. */
export async function startJava(options: {
  readonly what: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly isReady: () => Promise<boolean>;
}): Promise<AsyncDisposable> {
  const { what, args, folder, isReady } = options;
  const outputFile = join(folder, "output.txt");
  const output = openSync(outputFile, "w");
  const child = spawn("java", args, { stdio: ["ignore", output, output] });
  closeSync(output);
  const exited = once(child, "exit");
  await using started = new AsyncDisposableStack();
  started.defer(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  await waitUntil(
    async () => {
      if (child.exitCode !== null)
        throw new Error(`${what} has ended:\n${readFileSync(outputFile, "utf8").slice(-2000)}`);
      return isReady();
    },
    { timeoutMs: 180_000, everyMs: 100, what: `${what} has started` },
  );
  return started.move();
}

/** Writes a file of Java properties; a value may have several lines. */
export function writeProperties(file: string, settings: Readonly<Record<string, unknown>>): void {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name}=${String(value).replaceAll("\n", "\\n")}\n`,
  );
  writeFileSync(file, lines.join(""));
}
