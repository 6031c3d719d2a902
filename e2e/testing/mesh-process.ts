import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../standalone/src/main.ts", import.meta.url));

/** Free ports, unless the arguments name others. */
const ports = ["--ingest-port", "--query-port"];

/** A process of `npm start`, like a user runs it. */
export type MeshProcess = {
  /** host:port of the separate ingest server. */
  readonly ingest: string;
  /** host:port of everything else. */
  readonly query: string;
  readonly child: ChildProcess;
  /** Its output so far. */
  output(): string;
  /** Resolves when it has printed this. @throws Error with its output if it ends before. */
  until(pattern: RegExp): Promise<void>;
  /** Kills it at once, like a power cut. */
  kill(): Promise<void>;
  /** Ends it like Ctrl-C and returns the exit code. */
  stop(): Promise<number | null>;
};

/**
 * Runs main.ts with the arguments, and these additional environment variables, and returns its exit code and output.
 */
export async function runMain(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  const output = collect(child);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output: output() };
}

/**
 * Starts the mesh on free ports and resolves when it has printed its addresses.
 * @throws Error with its output if it ends before.
 */
export async function startMesh(
  folder: string,
  args: readonly string[] = ["--no-generator"],
): Promise<MeshProcess> {
  const child = spawn(
    process.execPath,
    [
      main,
      ...ports.filter((flag) => !args.includes(flag)).flatMap((flag) => [flag, "0"]),
      "--data",
      folder,
      ...args,
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const output = collect(child);
  const exited = once(child, "exit") as Promise<[number | null]>;
  const until = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = () => {
        if (pattern.test(output())) resolve();
      };
      child.stdout?.on("data", check);
      exited.then(([code]) => reject(new Error(`the mesh ended with ${code}:\n${output()}`)), reject);
      check();
    });
  const addresses = /^open https?:\/\/(\S+:\d+)\/[\s\S]* ingest +(\S+:\d+)/m;
  await until(addresses);
  const [, query = "", ingest = ""] = addresses.exec(output()) ?? [];
  return {
    ingest,
    query,
    child,
    output,
    until,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    async stop() {
      child.kill("SIGINT");
      const [code] = await exited;
      return code;
    },
  };
}

function collect(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8");
    stream?.on("data", (chunk: string) => {
      text += chunk;
    });
  }
  return () => text;
}
