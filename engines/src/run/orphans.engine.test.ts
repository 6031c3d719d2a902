import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { testEngines } from "../../testing/test-engines.ts";
import { readState } from "./engines-state.ts";
import { isRunning } from "./process-identity.ts";
import { engineControl, FolderInUseError, startEngines } from "./start-engines.ts";

const engines = await testEngines();
const cache = process.env.DEVICEMESH_ENGINES_CACHE;
const installed = cache ? { cache } : {};

/** A process that starts the database and reports it; only a signal stops it. */
async function startLauncher(folder: string) {
  const script = `
    import { startEngines } from ${JSON.stringify(new URL("../index.ts", import.meta.url).href)};
    await startEngines(${JSON.stringify({ folder, parts: ["mongo"], ...installed })});
    console.log("started");
    setInterval(() => {}, 1000);`;
  const launcher = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(createInterface({ input: launcher.stdout }), "line");
  return launcher;
}

const databaseOf = (folder: string) => readState(folder).engines[0]!.process!;

describe.skipIf(engines === undefined)("a launcher that is killed", () => {
  it("leaves engines that the next start ends; their data and ports are reused", async () => {
    using folder = temporaryFolder();
    const launcher = await startLauncher(folder.path);
    const exit = once(launcher, "exit");
    launcher.kill("SIGKILL");
    await exit;
    const orphan = databaseOf(folder.path);
    const [before] = await engineControl(folder.path).status();
    expect(before).toMatchObject({ name: "mongo", state: "ready" });

    await using next = await startEngines({ folder: folder.path, parts: ["mongo"], ...installed });
    expect(isRunning(orphan)).toBe(false);
    expect(next.addresses.mongodbUrl).toBe(before!.address);
    expect(await next.status()).toEqual([expect.objectContaining({ state: "ready" })]);
  });

  it("does not hold its folder; a live one does", async () => {
    using folder = temporaryFolder();
    const launcher = await startLauncher(folder.path);
    const second = startEngines({ folder: folder.path, parts: ["mongo"], ...installed });
    await expect(second).rejects.toThrow(FolderInUseError);
    expect(isRunning(databaseOf(folder.path))).toBe(true);
    const exit = once(launcher, "exit");
    launcher.kill("SIGKILL");
    await exit;
    const third = await startEngines({ folder: folder.path, parts: ["mongo"], ...installed });
    await third.stop();
    await third.stop();
    expect(await third.status()).toEqual([expect.objectContaining({ state: "stopped" })]);
  });
});

describe.skipIf(engines === undefined)("Envoy", () => {
  it("with an invalid configuration is rejected with Envoy's message before anything starts", async () => {
    using folder = temporaryFolder();
    const configFile = new URL("../../../package.json", import.meta.url).pathname;
    const start = startEngines({
      folder: folder.path,
      parts: ["envoy"],
      envoy: { configFile, readyUrl: "http://127.0.0.1:9/ready" },
      ...installed,
    });
    await expect(start).rejects.toThrow(/^envoy: .*package\.json: exit code 1/);
  });
});
