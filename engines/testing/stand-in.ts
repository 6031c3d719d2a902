import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { defaultCache, partFolder, standInProgram } from "../src/install/engine-parts.ts";
import { freePorts } from "../src/plans/free-ports.ts";
import { standInArguments } from "../src/plans/mongo-plan.ts";
import { takesWrites } from "../src/readiness/mongo-hello.ts";

/** Returns the program of the stand-in for MongoDB, or undefined if it is not installed. */
export function findStandIn(cache = process.env.DEVICEMESH_ENGINES_CACHE): string | undefined {
  const program = standInProgram(partFolder(cache ?? defaultCache(), "python"));
  return existsSync(program) ? program : undefined;
}

/** Starts a stand-in with empty data. Resolves when it accepts writes. */
export async function startStandIn(program: string): Promise<AsyncDisposable & { readonly address: string }> {
  await using started = new AsyncDisposableStack();
  const folder = started.use(temporaryFolder());
  const [port = 0] = await freePorts(1);
  const child = spawn(program, standInArguments({ data: join(folder.path, "data") }, port), {
    stdio: "ignore",
  });
  const exited = once(child, "exit");
  started.defer(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const answers = () => takesWrites({ host: "127.0.0.1", port, limitMs: 2000 }).catch(() => false);
  await waitUntil(answers, { timeoutMs: 60_000, everyMs: 50, what: "the stand-in accepts writes" });
  const owned = started.move();
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
