import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startEnvoy } from "../src/start-envoy.ts";
import { startBackend } from "./backend-fixture.ts";
import { localhost, quietEnvoy } from "./edge-fixture.ts";

const program = fileURLToPath(new URL("ingest-replica.ts", import.meta.url));

/**
 * For tests: starts a replica of ingest as a separate process, which writes the readings that it acknowledges to a
 * file.
 */
export async function startReplica(file: string): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [program, file], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { child, port: Number(/listening on (\d+)/.exec(line.toString())?.[1]) };
}

/**
 * For tests: starts two replicas of ingest behind Envoy, whose configuration `edit` changes. Each writes the readings
 * that it acknowledges to its file in `folder`.
 */
export async function startTwoReplicas(folder: string, edit?: (text: string) => string) {
  const stack = new AsyncDisposableStack();
  const files = ["one", "two"].map((name) => join(folder, name));
  const replicas = await Promise.all(files.map((file) => startReplica(file)));
  for (const { child } of replicas) stack.defer(() => void child.kill("SIGKILL"));
  const backend = stack.use(await startBackend());
  const envoy = stack.use(
    await startEnvoy({
      ...quietEnvoy,
      ingest: replicas.map(({ port }) => localhost(port)),
      query: [localhost(backend.port)],
      generator: [localhost(backend.port)],
      ...(edit && { edit }),
    }),
  );
  return { files, replicas, envoy, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** For tests: reads the file of a replica, as `device@seconds`. */
export function stored(file: string): Set<string> {
  if (!existsSync(file)) return new Set();
  return new Set(
    readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((identity) => {
        const [device, , time = ""] = identity.split("|");
        return `${device}@${Date.parse(time) / 1000}`;
      }),
  );
}
