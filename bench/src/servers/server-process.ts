import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";

/** A server in a separate process. */
export type ServerProcess = AsyncDisposable & {
  readonly pid: number;
  readonly port: number;
  /** Resolves when all work for its acknowledged readings is done; at once for servers without remaining work. */
  settle(): Promise<void>;
  /** Ends it with SIGTERM (after `graceMs` with SIGKILL). Resolves to its output after the first line. */
  stop(): Promise<readonly string[]>;
};

const startMs = 60_000;
const settleMs = 60_000;
const graceMs = 30_000;

/**
 * Starts a server whose first line on standard output is `{"port": N}`. With `settles` it is a Node server that answers
 * the message "settle" with "settled", or with an error.
 */
export async function startServerProcess(options: {
  readonly command: string;
  readonly args: readonly string[];
  readonly settles?: boolean;
}): Promise<ServerProcess> {
  const child = spawn(options.command, options.args, {
    stdio: ["ignore", "pipe", "inherit", ...(options.settles ? (["ipc"] as const) : [])],
  });
  // It must not outlive the bench.
  const end = () => child.kill("SIGTERM");
  process.once("exit", end);
  child.once("exit", () => process.off("exit", end));
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout! });
  reader.on("line", (line) => lines.push(line));
  const exited = once(child, "exit");
  await Promise.race([
    once(reader, "line", { signal: AbortSignal.timeout(startMs) }),
    exited.then(([code]) => {
      throw new Error(`${options.args.at(-1)} ended with code ${code} before it listened`);
    }),
  ]);
  const { port } = JSON.parse(lines.shift()!) as { port: number };

  const stop = closeOnce(async (): Promise<readonly string[]> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      const kill = setTimeout(() => child.kill("SIGKILL"), graceMs);
      await exited;
      clearTimeout(kill);
    }
    return lines;
  });
  return {
    pid: child.pid!,
    port,
    settle: () => (options.settles ? settled(child) : Promise.resolve()),
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

async function settled(child: ChildProcess): Promise<void> {
  const answer = once(child, "message", { signal: AbortSignal.timeout(settleMs) });
  child.send("settle");
  const [text] = await answer;
  if (text !== "settled") throw new Error(`the server could not settle: ${text}`);
}
