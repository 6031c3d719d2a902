import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { everyMs } from "../../testing/mesh/waits.ts";

const engines = await testEngines();
const main = fileURLToPath(new URL("../../../mesh/src/main.ts", import.meta.url));
const mark = "INTERRUPTED_START_TEST";

/** Returns the command lines of all processes with this mark in their environment, whatever their current parent. */
function processesOf(id: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, "utf8").includes(`${mark}=${id}`)) return [];
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        // The process has ended.
        return [];
      }
    });
}

/** Starts the mesh, sends it signals once it has printed `at`, and returns its output and remaining processes. */
async function interrupt(at: RegExp, options: { readonly twice: boolean }) {
  using folder = temporaryFolder();
  const id = randomUUID();
  const child = spawn(process.execPath, [main, "--data", folder.path, "--port", "0", "--no-generator"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, [mark]: id },
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      printed += chunk;
    });
  }
  const exited = once(child, "exit");
  await waitUntil(() => at.test(printed) || child.exitCode !== null, {
    timeoutMs: 200_000,
    everyMs: 5,
  }).catch(async () => {
    child.kill("SIGINT");
    await exited;
    throw new Error(`it never printed ${at}: ${printed}`);
  });
  const interruptedMs = performance.now();
  child.kill("SIGINT");
  if (options.twice) {
    // Later than the interval within which two signals count as one request.
    await waitUntil(() => performance.now() - interruptedMs > 400);
    child.kill("SIGINT");
  }
  const [code] = (await exited) as [number | null];
  await waitUntil(() => processesOf(id).length === 0, { timeoutMs: 3000, everyMs }).catch(() => {});
  return { printed, code, left: processesOf(id) };
}

describe.skipIf(!engines || process.platform !== "linux")("Ctrl-C while the mesh starts", () => {
  it.each([
    ["first step", /leftovers/],
    ["engines", /COMPLETED\] engines/],
    ["first engine", /COMPLETED\] mongo/],
    ["last engine", /COMPLETED\] connect/],
    ["services", /STARTED\] operator/],
  ] as const)("at its %s ends it and leaves no process", async (_, at) => {
    const { printed, code, left } = await interrupt(at, { twice: false });
    expect(left).toEqual([]);
    expect(printed).toMatch(at);
    expect(printed).toContain("stopped while it was starting");
    expect(printed).not.toContain("stopping ...");
    expect(code).toBe(0);
  });

  it("twice ends it at once and also leaves no process", async () => {
    const { code, left } = await interrupt(/COMPLETED\] mongo/, { twice: true });
    expect(left).toEqual([]);
    expect([0, 130]).toContain(code);
  });
});
