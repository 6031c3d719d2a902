import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeReport } from "../report/report.ts";
import { type IngestResult, runIngestBench } from "./ingest-bench.ts";
import { ingestReport, ingestTargets } from "./ingest-report.ts";

// One round of bare node:http and ours, too short for meaningful figures.
describe("a quick run of the ingest bench", () => {
  let folder: string;
  let result: IngestResult;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "devicemesh-bench-"));
    result = await runIngestBench({
      peers: ["node-http", "ours", "ours-late"],
      rounds: 1,
      roundMs: 500,
      warmUpMs: 300,
      settle: false,
      cache: join(folder, "cache"),
      folder,
      progress: () => {},
    });
    await writeReport(join(folder, "results"), ingestReport(result));
  }, 240_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("loads all peers", () => {
    expect(result.peers.map(({ name }) => name)).toEqual(["node-http", "ours", "ours-late"]);
    for (const { samples, peakMemoryMib } of result.peers) {
      expect(samples).toHaveLength(1);
      expect(samples[0]!.readings).toBeGreaterThan(0);
      expect(samples[0]!.cpuMicrosPerReading).toBeGreaterThan(0);
      expect(samples[0]!.foldedCpuMicrosPerReading).toBeGreaterThan(0);
      expect(peakMemoryMib).toBeGreaterThan(10);
    }
  });

  it("finds all acknowledged readings stored, including the warm-up", () => {
    const counted = result.peers.find(({ name }) => name === "ours")!.samples[0]!.readings;
    expect(result.stored.storedReadings).toBeGreaterThan(counted);
    expect(result.stored.duplicates).toBe(0);
  });

  it("writes table, chart and figures", async () => {
    expect((await readdir(join(folder, "results"))).sort()).toEqual([
      "ingest.json",
      "ingest.md",
      "ingest.svg",
    ]);
    const table = await readFile(join(folder, "results", "ingest.md"), "utf8");
    expect(table).toContain("![Ingest](ingest.svg)");
    expect(table).toMatch(
      /(met|NOT met): CPU per durable reading at most 1\/25 of bare node:http; measured 1\/[\d.,]+/,
    );
    expect(JSON.parse(await readFile(join(folder, "results", "ingest.json"), "utf8"))).toMatchObject({
      kind: "ingest",
      ratios: [{ name: "node-http" }, { name: "ours-late" }],
    });
  });
});

describe("ingestTargets", () => {
  function resultOf(
    ours: readonly number[],
    { late, memoryMib, perSecond }: { late: number; memoryMib: number; perSecond: number },
  ): IngestResult {
    const peers = [
      { name: "fastapi", cpu: ours.map(() => 140) },
      { name: "node-http", cpu: ours.map(() => 12) },
      { name: "ours", cpu: ours },
      { name: "ours-late", cpu: ours.map((micros) => micros * late) },
      { name: "ours-steady", cpu: ours },
    ] as const;
    return {
      kind: "ingest",
      machine: { cpu: "", cores: 2, memoryGib: 1, system: "", node: "", day: "" },
      roundMs: 1000,
      peers: peers.map(({ name, cpu }) => ({
        name,
        samples: cpu.map((micros) => ({
          readings: 1,
          readingsPerSecond: perSecond,
          cores: 1,
          cpuMicrosPerReading: micros,
          foldedCpuMicrosPerReading: micros,
        })),
        peakMemoryMib: memoryMib,
      })),
      stored: { storedReadings: 1, duplicates: 0, conflicts: 0, diskBytes: 1, versions: {} },
    };
  }
  const met = (...result: Parameters<typeof resultOf>) =>
    ingestTargets(resultOf(...result)).map((target) => target.met);
  const atLimits = { late: 2.99, memoryMib: 256, perSecond: 1_000_000 };

  it("compare the median of the rounds' ratios", () => {
    expect(met([0.4, 0.4, 9], atLimits)).toEqual([true, true, true, true]);
    expect(met([0.41, 0.41, 0.1], atLimits)).toEqual([false, true, true, true]);
    expect(met([0.5, 0.1, 0.5], { late: 3.1, memoryMib: 257, perSecond: 1_000_000 })).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it("do not judge the memory at a rate that was not reached", () => {
    expect(met([0.4], { ...atLimits, perSecond: 500_000 })).toEqual([true, true, true, false]);
  });
});
