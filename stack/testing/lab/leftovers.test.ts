import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { killProcesses, processesOf } from "../../lab/machine/leftovers.ts";

/** A process with the name of an engine's program, and with a child that does not name the folder. */
async function engineLike(folder: string, program: string): Promise<ChildProcess> {
  const file = join(folder, program);
  copyFileSync("/bin/bash", file);
  const script = "sleep 600 & wait";
  const child = spawn(file, ["-c", script, "_", `${folder}/data`], { stdio: "ignore" });
  await once(child, "spawn");
  return child;
}

describe.skipIf(process.platform !== "linux")("the remaining processes of a killed lab", () => {
  it("are found with all descendants and killed, and those of another folder are not", async () => {
    using folder = temporaryFolder();
    using other = temporaryFolder();
    const child = await engineLike(folder.path, "dockerd");
    const bystander = await engineLike(other.path, "dockerd");
    try {
      await waitUntil(() => processesOf(folder.path).length === 2, { what: "the engine and its child" });
      await killProcesses(() => processesOf(folder.path));
      expect(processesOf(folder.path)).toEqual([]);
      expect(processesOf(other.path).length).toBeGreaterThan(0);
      expect(bystander.exitCode).toBeNull();
    } finally {
      child.kill("SIGKILL");
      await killProcesses(() => processesOf(other.path));
    }
  });

  it("include only programs of an engine, even if others name the folder", async () => {
    using folder = temporaryFolder();
    const child = await engineLike(folder.path, "editor");
    try {
      expect(processesOf(folder.path)).toEqual([]);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
