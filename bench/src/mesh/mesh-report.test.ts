import { describe, expect, it } from "vitest";
import type { MeshResult } from "./mesh-bench.ts";
import { meshRatios, meshReport, meshSummary } from "./mesh-report.ts";

const sample = (cpuMicrosPerReading: number, readingsPerSecond: number) => ({
  readings: 1000,
  cpuMicrosPerReading,
  readingsPerSecond,
  cores: 0.5,
});

function peer(name: "fastapi" | "ours", samples: MeshResult["peers"][number]["samples"], duplicates = 0) {
  return { name, samples, peakMemoryMib: 100, acknowledged: 3000, duplicates };
}

const result: MeshResult = {
  kind: "mesh",
  machine: { cpu: "A CPU", cores: 2, memoryGib: 8, system: "Linux 6", node: "v24", day: "2026-11-25" },
  load: { before: 0.5, during: { median: 3, minimum: 1, maximum: 4 } },
  roundMs: 5000,
  partitions: 4,
  peers: [
    peer("fastapi", [sample(100, 8000), sample(120, 6000), sample(90, 9000)]),
    peer("ours", [sample(5, 80_000), sample(10, 90_000), sample(3, 45_000)]),
  ],
  chain: {
    backlogReadings: 600_000,
    sink: { documentsPerSecond: 7000, seconds: 85 },
    backlog: {
      batches: [
        { batch: 0, rows: 200_000, batchMs: 4000 },
        { batch: 1, rows: 200_000, batchMs: 2000 },
        { batch: 2, rows: 4, batchMs: 900 },
      ],
      partials: 60_000,
      coveredSeconds: 30,
    },
    live: {
      devices: 500,
      seconds: 120,
      batches: [
        { batch: 9, rows: 600, batchMs: 1100 },
        { batch: 10, rows: 500, batchMs: 900 },
      ],
      warmUpSeconds: 40,
      warmUp: { storedMs: [300], inAnswerMs: [500, 600], coveredMs: [20_000] },
      probes: {
        storedMs: [10, 20],
        inAnswerMs: Array.from({ length: 100 }, (_, index) => index + 1),
        coveredMs: Array.from({ length: 100 }, (_, index) => 10_000 + index),
      },
    },
    versions: { spark: "4.1.2" },
  },
  database: "stand-in",
};

describe("the report of the mesh", () => {
  it("takes ratios within rounds", () => {
    expect(meshRatios(result)).toEqual({
      cpu: { median: 20, minimum: 12, maximum: 30 },
      readingsPerSecond: { median: 10, minimum: 5, maximum: 15 },
    });
    expect(meshRatios({ peers: result.peers.slice(1) })).toBeUndefined();
  });

  it("excludes idle batches from Spark's rows a second", () => {
    expect(meshSummary(result)).toMatchObject({
      sparkRowsPerSecond: 400_000 / 6,
      backlogBatches: 2,
      backlogBatchMs: { median: 3000, minimum: 2000, maximum: 4000 },
      liveBatchMs: { median: 1000 },
      storedMs: { p50: 10, p99: 20 },
      inAnswerMs: { p50: 50, p99: 99 },
      coveredMs: { p50: 10_049, p99: 10_098 },
    });
  });

  it("shows both servers, the pipeline, and the contents of each topic", () => {
    const { markdown } = meshReport(result);
    expect(markdown).toMatch(/FastAPI .* \| 100 \(90\.0 – 120\) \| 20\.0 \(12\.0 – 30\.0\) \|/);
    expect(markdown).toMatch(/66,700 rows\/s/);
    expect(markdown).toContain("FastAPI + confluent-kafka 3,000, Device Mesh ingest 3,000.");
  });

  it("states the delays of the warm-up apart from the others", () => {
    const { markdown } = meshReport(result);
    expect(markdown).toMatch(
      /until an answer counts the reading, p50 \/ p99 of 100 probes \| 0.0500 s \/ 0.0990 s/,
    );
    expect(markdown).toMatch(
      /until an answer counts the reading, of 2 probes in the first 40.0 s \| 0.500 s \/ 0.600 s/,
    );
  });

  it("states that the database is a stand-in, unless it is MongoDB", () => {
    expect(meshReport(result).markdown).toContain("not MongoDB: its documents a second");
    const real = meshReport({ ...result, database: "mongod" });
    expect(real.markdown).not.toContain("stand-in");
    expect(real.svg).not.toContain("stand-in");
  });

  it("states that the machine was busy, and that there were duplicate records", () => {
    expect(meshReport(result).markdown).not.toContain("busy with other work");
    const [theirs] = result.peers;
    const load = { before: 1, during: { median: 12, minimum: 2, maximum: 20 } };
    const busy = { ...result, load, peers: [theirs!, peer("ours", result.peers[1]!.samples, 500)] };
    expect(meshReport(busy).markdown).toContain("12.0 (2.00 – 20.0) during the run");
    expect(meshReport(busy).markdown).toContain("busy with other work");
    expect(meshReport(busy).markdown).toContain("Device Mesh ingest 3,000 and 500 duplicates");
  });

  it("works without the peer", () => {
    const alone = meshReport({ ...result, peers: result.peers.slice(1) });
    expect(alone.markdown).not.toContain("fastapi ");
    expect(alone.svg).toContain("Device Mesh ingest, to Kafka");
  });
});
