import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { indexDefinitions } from "@devicemesh/operator";
import { type DeviceMessage, defaultLevels } from "@devicemesh/proto";
import { type CommandStartedEvent, type Db, type Document, MongoClient } from "mongodb";
import { describe, expect, it } from "vitest";
import { type MeshFixture, openMeshFixture } from "../../../testing/mongo/mongo-mesh-fixture.ts";
import { readTimeframe } from "../../answer/read-timeframe.ts";
import { fixedGrid } from "../../calendar/bucket-grid.ts";
import { allTime } from "../../plan/planner.ts";
import type { ReadingStore, SeriesFilter } from "../reading-store.ts";
import { createMongoReadingStore } from "./mongo-reading-store.ts";

const engines = await testEngines();
const url = engines?.mongodbUrl ?? "";
const dayMs = 86_400_000;
const everything: SeriesFilter = { deviceIds: [], sensors: [] };

/** Several days of readings in all levels, recent readings, dirty windows and repaired windows. */
async function fill(mesh: MeshFixture): Promise<void> {
  const batch = (): DeviceMessage[] =>
    [-2 * dayMs, -dayMs, -3_600_000, -30_000, -1].flatMap((offset) =>
      ["a", "b", "c"].map((deviceId) => ({
        deviceId,
        sensor: "temperature" as const,
        timestampMs: mesh.nowMs() + offset,
        value: 20,
      })),
    );
  const first = batch();
  await mesh.publish(first);
  mesh.advance(2 * dayMs);
  await mesh.fold();
  await mesh.publish([...first.slice(0, 2), ...batch()]);
  mesh.advance(700_000);
  await mesh.fold();
  await mesh.repair();
  await mesh.publish([...first.slice(7, 9), ...batch()]);
  mesh.advance(30_000);
  await mesh.fold();
  await mesh.publish(batch());
}

/** Sends every read of query to a store. */
async function askAll(store: ReadingStore, nowMs: number): Promise<void> {
  const { signal } = new AbortController();
  const timeframes = [
    allTime,
    { sinceMs: nowMs - 5 * dayMs - 1234, toMs: nowMs + 1 },
    { sinceMs: nowMs - 45_001, toMs: nowMs },
  ];
  const filters: SeriesFilter[] = [
    everything,
    { deviceIds: ["a"], sensors: [] },
    { deviceIds: ["a", "b"], sensors: ["temperature", "humidity"] },
    { deviceIds: ["a"], sensors: ["temperature"] },
    { deviceIds: [], sensors: ["temperature"] },
  ];
  const after = { deviceId: "b", sensor: "temperature" as const, timestampMs: nowMs - dayMs };
  for (const filter of filters) {
    for (const timeframe of timeframes) {
      for (const bucketMs of [undefined, 10_000, dayMs]) {
        const buckets = bucketMs === undefined ? undefined : fixedGrid(bucketMs);
        await readTimeframe(store, { filter, timeframe, buckets }, signal);
      }
      for (const descending of [true, false]) {
        await store.readReadings({ filter, ...timeframe, descending, limit: 10 }, signal);
        await store.readReadings({ filter, ...timeframe, descending, after, limit: 10 }, signal);
      }
    }
    await store.readSeries({ filter, limit: 10 }, signal);
    await store.readSeries({ filter, after, limit: 10 }, signal);
    await store.readDuplicates({ filter, limit: 10 }, signal);
    await store.readDuplicates({ filter, after, limit: 10 }, signal);
  }
  await store.readStatus(signal);
  const watching = new AbortController();
  const watch = store.watchChanges(watching.signal)[Symbol.asyncIterator]().next();
  watching.abort();
  await watch;
}

/** The reads that a command monitor saw, without fields of the session. */
function readsOf(commands: readonly Document[]): Document[] {
  const reads = commands.filter((command) => "aggregate" in command || "find" in command);
  const own = (command: Document): Document => {
    const { lsid: _l, $db: _d, $clusterTime: _c, $readPreference: _r, readConcern: _k, ...rest } = command;
    return rest;
  };
  return [...new Map(reads.map(own).map((command) => [JSON.stringify(command), command])).values()];
}

/** Returns the names of the stages of a plan and of its indexes. */
async function planOf(db: Db, command: Document): Promise<{ stages: string[]; indexes: string[] }> {
  const explained = JSON.stringify(await db.command({ explain: command, verbosity: "queryPlanner" }));
  const all = (pattern: RegExp): string[] => [...explained.matchAll(pattern)].map(([, name]) => name ?? "");
  return { stages: all(/"stage":"(\w+)"/g), indexes: all(/"indexName":"(\w+)"/g) };
}

describe.skipIf(!engines)("the plans of the database", () => {
  it("use an index for every read of query", async () => {
    const indexes = indexDefinitions({ levels: defaultLevels });
    const mesh = await openMeshFixture({ url, indexes });
    const client = new MongoClient(url, { monitorCommands: true });
    try {
      await fill(mesh);
      const commands: Document[] = [];
      client.on("commandStarted", ({ command }: CommandStartedEvent) => commands.push(command));
      const db = client.db(mesh.db.databaseName);
      await askAll(createMongoReadingStore({ db, clock: mesh.nowMs, horizonCacheMs: 0 }), mesh.nowMs());
      const reads = readsOf(commands);
      const used = new Set<string>();
      for (const command of reads) {
        const { stages, indexes: names } = await planOf(mesh.db, command);
        expect(stages, JSON.stringify(command)).not.toContain("COLLSCAN");
        expect(stages.length, JSON.stringify(command)).toBeGreaterThan(0);
        for (const name of names) used.add(name);
      }
      // Otherwise there were few reads, and this proves nothing.
      expect(reads.length).toBeGreaterThan(100);
      expect([...used].sort()).toEqual(
        expect.arrayContaining([
          "arrived",
          "kind",
          "last_repeat",

          "segment",
          "series",
          "series_time",
          "series_window",
          "time_series",
          "window",
          "window_segment",
        ]),
      );
    } finally {
      await client.close();
      await mesh.close();
    }
  });
});
