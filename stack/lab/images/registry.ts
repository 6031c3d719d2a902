import { spawn } from "node:child_process";
import { mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Engine } from "../machine/engine.ts";
import { labNetwork } from "../machine/network.ts";

const answerLimitMs = 30_000;
const pollMs = 200;

/**
 * Starts an empty registry of images (Debian's docker-registry) on the lab's bridge, with its files in `folder`. It ends
 * with the lab's other processes.
 * @throws Error if it is not installed, or does not answer within half a minute.
 */
export async function startRegistry(folder: string, signal: AbortSignal): Promise<void> {
  const home = join(folder, "registry");
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const file = join(home, "config.json");
  const settings = {
    version: "0.1",
    storage: { filesystem: { rootdirectory: join(home, "data") } },
    http: { addr: labNetwork.registry },
  };
  // Its configuration is YAML, of which JSON is a part.
  writeFileSync(file, JSON.stringify(settings));
  const log = openSync(join(home, "log"), "a");
  const server = spawn("docker-registry", ["serve", file], { detached: true, stdio: ["ignore", log, log] });
  let failure: Error | undefined;
  server.on("error", (error) => {
    failure = error;
  });
  server.unref();
  const deadlineMs = performance.now() + answerLimitMs;
  for (;;) {
    if (failure !== undefined) {
      throw new Error("the registry does not start: apt-get install docker-registry", { cause: failure });
    }
    const answer = await fetch(`http://${labNetwork.registry}/v2/`, { signal }).catch(() => undefined);
    if (answer?.ok) return;
    if (performance.now() > deadlineMs) throw new Error(`the registry does not answer: see ${home}/log`);
    await delay(pollMs, undefined, { signal });
  }
}

/** Pushes images from an engine to the registry that their names have. */
export async function pushImages(from: Engine, images: readonly string[]): Promise<void> {
  for (const image of images) await from.docker(["push", "--quiet", image]);
}
