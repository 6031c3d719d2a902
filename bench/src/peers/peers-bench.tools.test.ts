import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runPeersBench } from "./peers-bench.ts";

it("stores the readings in two systems that Node alone can run, and both answer every question exactly", {
  timeout: 120_000,
}, async () => {
  const cache = await mkdtemp(join(tmpdir(), "peers-"));
  try {
    const { peers, missing } = await runPeersBench({
      readings: 4000,
      questions: 20,
      systems: ["Device Mesh", "DuckDB alone"],
      original: false,
      cache,
      progress: () => {},
    });
    expect(missing).toEqual([]);
    expect(peers.map(({ name, exact, firstWrong }) => ({ name, exact, firstWrong }))).toEqual([
      { name: "Device Mesh", exact: 20, firstWrong: undefined },
      { name: "DuckDB alone", exact: 20, firstWrong: undefined },
    ]);
    for (const { cpuMicrosPerReading, bytesPerReading } of peers) {
      expect(cpuMicrosPerReading).toBeGreaterThan(0);
      expect(bytesPerReading).toBeGreaterThan(0);
    }
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
});
