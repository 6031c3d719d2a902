import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../embedded/src/main.ts", import.meta.url));

/** A process of `npm start`, as a user would run it. */
export type MeshProcess = {
  /** host:port of ingest. */
  readonly ingest: string;
  /** host:port of query. */
  readonly query: string;
  readonly child: ChildProcess;
  /** All that it printed so far. */
  output(): string;
  /** Kills it at once, as a power cut would. */
  kill(): Promise<void>;
  /** Ends it as Ctrl-C does and gives the exit code. */
  stop(): Promise<number | null>;
};

/** Runs main.ts with the arguments and gives its exit code and output. */
export async function runMain(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const output = collect(child);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output: output() };
}

/**
 * Starts the mesh on free ports and resolves when it says where they are.
 * @throws Error with its output if it ends before.
 */
export async function startMesh(
  folder: string,
  args: readonly string[] = ["--no-generator"],
): Promise<MeshProcess> {
  const child = spawn(
    process.execPath,
    [main, "--ingest-port", "0", "--query-port", "0", "--data", folder, ...args],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const output = collect(child);
  const exited = once(child, "exit") as Promise<[number | null]>;
  const [ingest, query] = await new Promise<[string, string]>((resolve, reject) => {
    const look = () => {
      const text = output();
      const found = [/ingest +(\S+:\d+)/.exec(text)?.[1], /query +https?:\/\/(\S+:\d+)/.exec(text)?.[1]];
      if (found[0] && found[1]) resolve([found[0], found[1]]);
    };
    child.stdout?.on("data", look);
    exited.then(([code]) => reject(new Error(`the mesh ended with ${code}:\n${output()}`)), reject);
  });
  return {
    ingest,
    query,
    child,
    output,
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
