import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { indexDefinitions } from "@devicemesh/operator";
import {
  type AggregatorStatusDocument,
  collections,
  type DeadLetterDocument,
  type OperatorStatusDocument,
} from "@devicemesh/pipeline";
import { defaultLevels } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { openMeshFixture } from "../../../testing/mongo/mongo-mesh-fixture.ts";

const engines = await testEngines();
const url = engines?.mongodbUrl ?? "";
const indexes = indexDefinitions({ levels: defaultLevels });

describe.skipIf(!engines)("the status of the real chain", () => {
  it("counts marked, repaired and unmarked windows, and dead letters of each kind", async () => {
    const mesh = await openMeshFixture({ url, indexes });
    const { signal } = new AbortController();
    try {
      const at = (offset: number, value = 20) => ({
        deviceId: "a",
        sensor: "temperature" as const,
        timestampMs: mesh.nowMs() + offset,
        value,
      });
      const [repaired, again, dirty, fresh] = [at(0), at(20_000), at(40_000), at(60_000)];
      const conflict = { ...again, value: 21 };
      await mesh.publish([repaired, again, dirty, fresh, repaired, again]);
      mesh.advance(20_000);
      await mesh.fold();
      await mesh.repair();
      await mesh.publish([conflict, dirty]);
      mesh.advance(20_000);
      await mesh.fold();
      await mesh.publish([fresh]);
      await mesh.db.collection<DeadLetterDocument>(collections.deadLetters).insertOne({
        ...(await lastDeadLetter(mesh.db.collection(collections.deadLetters))),
        _id: "processed_messages/0/999",
        kind: "invalid",
      });
      const { parts, duplicates, conflicts } = await mesh.store.readStatus(signal);
      expect(parts).toMatchObject({ repairedWindows: 1, dirtyWindows: 2 });
      expect(parts?.deadLetters).toEqual([
        { kind: "duplicate", count: 4 },
        { kind: "conflict", count: 1 },
        { kind: "redelivery", count: 0 },
        { kind: "invalid", count: 1 },
      ]);
      expect([duplicates, conflicts]).toEqual([4, 1]);
    } finally {
      await mesh.close();
    }
  });

  it("passes on the reports of operator and aggregator", async () => {
    const mesh = await openMeshFixture({ url, indexes });
    const { signal } = new AbortController();
    try {
      const before = (await mesh.store.readStatus(signal)).parts;
      expect(before?.windowJob).toBeUndefined();
      expect(before?.reports).toEqual([
        { name: "operator", reportedMs: undefined },
        { name: "aggregator", reportedMs: mesh.nowMs() },
      ]);
      const updated = new Date(mesh.nowMs() + 1);
      await mesh.db.collection<OperatorStatusDocument>(collections.status).insertOne({
        _id: "operator",
        updated,
        connectors: [
          {
            name: "raw",
            state: "RUNNING",
            tasks: [{ id: 0, state: "RUNNING", error: null }],
            lag: 3,
            restarts: 1,
          },
        ],
        dead_letter_lag: 0,
        problems: ["one"],
      });
      await mesh.db.collection<AggregatorStatusDocument>(collections.status).insertOne({
        _id: "aggregator",
        updated,
        holder: "here",
        state: "RUNNING",
        checkpoint: "abc",
        batch: 4,
        watermark: new Date(mesh.nowMs()),
        input_rows_per_second: 1.5,
        processed_rows_per_second: 2,
        batch_ms: 900,
        state_rows: 8,
        rows_dropped: 0,
        lag: 6,
        restarts: 0,
        last_error: null,
        spark_version: "4.1.2",
        problems: ["two"],
      });
      const { parts, versions } = await mesh.store.readStatus(signal);
      expect(parts).toMatchObject({
        reports: [
          { name: "operator", reportedMs: updated.getTime() },
          { name: "aggregator", reportedMs: updated.getTime() },
        ],
        connectors: [{ name: "raw", tasks: [{ id: 0, state: "RUNNING", error: "" }], lag: 3, restarts: 1 }],
        windowJob: { batch: 4, watermarkMs: mesh.nowMs(), lag: 6, lastError: "" },
        problems: ["one", "two"],
      });
      expect(versions).toMatchObject({ mongodb: expect.stringMatching(/^\d/), spark: "4.1.2" });
    } finally {
      await mesh.close();
    }
  });
});

async function lastDeadLetter(letters: { findOne(): Promise<unknown> }): Promise<DeadLetterDocument> {
  return (await letters.findOne()) as DeadLetterDocument;
}
