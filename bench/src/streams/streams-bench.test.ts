import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runStreamsBench, type StreamsResult } from "./streams-bench.ts";
import { streamsReport, streamsTargets } from "./streams-report.ts";

// Too few streams for too short a time for meaningful figures.
it("acknowledges the readings of every stream, and finds all of them stored", async () => {
  const cache = await mkdtemp(join(tmpdir(), "devicemesh-bench-"));
  try {
    const result = await runStreamsBench({
      devices: 40,
      connections: 2,
      rounds: 1,
      roundMs: 1500,
      warmUpMs: 1200,
      cache,
      progress: () => {},
    });
    const [sample] = result.samples;
    expect(sample!.acknowledged).toBeGreaterThan(0);
    expect(sample!.p99Ms).toBeGreaterThanOrEqual(sample!.p50Ms);
    expect(result.storedReadings).toBeGreaterThan(sample!.acknowledged);
    expect(streamsReport(result).markdown).toContain(
      "40 devices with a gRPC stream each, over 2 connections",
    );
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
});

function resultOf({ p99Ms, cores, perSecond }: { p99Ms: number; cores: number; perSecond: number }) {
  const sample = { acknowledged: 1, p50Ms: 10, cpuMicrosPerStream: 80 };
  return {
    kind: "streams",
    machine: { cpu: "", cores: 2, memoryGib: 1, system: "", node: "", day: "" },
    load: { before: 0, during: { median: 1, minimum: 1, maximum: 1 } },
    devices: 10_000,
    connections: 40,
    roundMs: 5000,
    samples: [{ ...sample, p99Ms, cores, acknowledgedPerSecond: perSecond }],
    peakMemoryMib: 100,
    storedReadings: 1,
  } satisfies StreamsResult;
}

it("compares time and CPU with the targets only if the devices' readings were acknowledged", () => {
  const met = (figures: Parameters<typeof resultOf>[0]) =>
    streamsTargets(resultOf(figures)).map((target) => target.met);
  expect(met({ p99Ms: 150, cores: 1, perSecond: 9900 })).toEqual([true, true]);
  expect(met({ p99Ms: 151, cores: 1.01, perSecond: 9900 })).toEqual([false, false]);
  expect(met({ p99Ms: 50, cores: 0.5, perSecond: 5000 })).toEqual([false, false]);
});
