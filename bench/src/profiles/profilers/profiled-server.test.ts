import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { profileServer } from "./profiled-server.ts";
import { hottest, weightOf } from "./stacks.ts";

it("finds the function that a server spends its time in, and weighs all threads with their CPU time", {
  timeout: 120_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), "devicemesh-profiles-"));
  try {
    const parts: string[] = [];
    const { profile, units } = await profileServer({
      args: [fileURLToPath(new URL("../../../testing/hot-server.ts", import.meta.url))],
      root: fileURLToPath(new URL("../../../..", import.meta.url)).replace(/\/$/, ""),
      file: join(folder, "server.cpuprofile"),
      signal: new AbortController().signal,
      async load({ port }, part) {
        parts.push(part);
        for (let request = 0; request < 5; request++) await fetch(`http://127.0.0.1:${port}`);
        return 5;
      },
    });
    expect(parts).toEqual(["warm-up", "profiled"]);
    expect(units).toBe(5);
    expect(hottest(profile.stacks, 1)[0]?.name).toMatch(/^burnCpu bench\/testing\/hot-server\.ts:\d+$/);
    expect(profile.cpuMs).toBeGreaterThan(0);
    expect(weightOf(profile.stacks)).toBeCloseTo(profile.cpuMs);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
