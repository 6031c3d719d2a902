import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import {
  collections,
  type FrontierDocument,
  marksOf,
  type RetentionDocument,
  retentionDocument,
  type SettingsDocument,
} from "@devicemesh/pipeline";
import { defaultLevels, nothingDeleted } from "@devicemesh/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshMesh, type MeshFixture, openMeshFixture } from "../../testing/mesh-fixture.ts";
import { configOf, startQuickOperator } from "../../testing/operator-fixture.ts";
import { type MeshOptions, prepareMesh } from "../../testing/prepare-mesh.ts";
import type { MeshEngines } from "../mesh-engines.ts";
import { createMongoRetentionStore } from "./mongo-retention-store.ts";

const given = await testEngines();
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const sensor = "temperature" as const;

describe.skipIf(!given)("the retention of a mesh", () => {
  let options: MeshOptions;
  let fixture: MeshFixture;
  let db: MeshEngines["db"];

  beforeAll(async () => {
    options = freshMesh(given!);
    fixture = await openMeshFixture(options);
    db = fixture.engines.db;
  });
  afterAll(async () => {
    await fixture?.[Symbol.asyncDispose]();
  });

  const marks = () => db.collection<RetentionDocument>(collections.retention).findOne({ _id: "marks" });
  const storeOf = () => createMongoRetentionStore({ db, levels: defaultLevels, clock: Date.now });

  /** A reading of the given age, with its window if it is folded. */
  async function store(ageMs: number): Promise<void> {
    const timestamp = new Date(Date.now() - ageMs);
    const iso = timestamp.toISOString();
    await db.collection<{ _id: string }>(collections.messages).insertOne({
      _id: `a|${sensor}|${iso}`,
      ...{ device_id: "a", sensor, timestamp, value: 20.5, arrived: timestamp, offset: 1 },
    });
    const start = new Date(Math.floor(timestamp.getTime() / 10_000) * 10_000);
    await db.collection<{ _id: string }>(collections.windows).insertOne({
      _id: `a|${sensor}|${start.toISOString()}|${start.toISOString()}`,
      ...{ device_id: "a", sensor, window_start: start, segment_start: start, count: 1, sum: 20.5 },
      ...{ minimum: 20.5, minimum_at: timestamp, maximum: 20.5, maximum_at: timestamp },
      ...{ first_at: timestamp, first_value: 20.5, last_at: timestamp, last_value: 20.5, m2: 0 },
    });
  }

  async function publishFrontier(ms: number): Promise<void> {
    const moment = new Date(ms);
    await db.collection<FrontierDocument>(collections.frontier).replaceOne(
      { _id: "frontier" },
      {
        ...{ complete_through: moment, frontiers: defaultLevels.map(() => moment) },
        ...{ log_end: moment, updated: moment },
      },
      { upsert: true },
    );
  }

  const ages = async (collection: string, time: string): Promise<number[]> =>
    (
      await db
        .collection(collection)
        .find()
        .sort({ [time]: 1 })
        .toArray()
    ).map((document) => Math.round((Date.now() - (document[time] as Date).getTime()) / hourMs));

  it("begins without deleted data", async () => {
    expect(await marks()).toEqual(retentionDocument(nothingDeleted(defaultLevels)));
  });

  it("deletes readings and windows of each level by their marks, and keeps the marks without the settings", async () => {
    for (const days of [1, 3, 5, 9]) await store(days * dayMs);
    await publishFrontier(Date.now());
    const config = { ...configOf(options), retainRaw: 2 * dayMs, retain10s: 4 * dayMs };
    const operator = await startQuickOperator(config, { deletionDelayMs: 1000, retentionEveryMs: 100 });
    try {
      await waitUntil(async () => (await marks())?.raw.getTime() !== 0, {
        timeoutMs: 30_000,
        what: "a mark",
      });
      expect(await ages(collections.messages, "timestamp")).toHaveLength(4);
      await waitUntil(
        async () => {
          await publishFrontier(Date.now() + 10_000);
          return (await ages(collections.windows, "window_start")).length < 4;
        },
        { timeoutMs: 30_000, what: "windows have been deleted" },
      );
      expect(await ages(collections.messages, "timestamp")).toEqual([24]);
      await waitUntil(async () => (await ages(collections.windows, "window_start")).length === 2, {
        timeoutMs: 30_000,
        what: "all that may be has been deleted",
      });
      expect(await ages(collections.windows, "window_start")).toEqual([72, 24]);
    } finally {
      await operator.close();
    }
    const before = marksOf((await marks()) as RetentionDocument, defaultLevels);
    expect(Math.abs(Date.now() - before.rawMs - 2 * dayMs - hourMs)).toBeLessThan(hourMs);
    const again = await startQuickOperator(configOf(options), { retentionEveryMs: 100 });
    await again.close();
    expect(marksOf((await marks()) as RetentionDocument, defaultLevels)).toEqual(before);
    await storeOf().raiseMarks(nothingDeleted(defaultLevels));
    expect(marksOf((await marks()) as RetentionDocument, defaultLevels)).toEqual(before);
  });

  it("derives marks if an older operator let the database delete readings", async () => {
    await db.collection(collections.retention).deleteMany({});
    await db.collection(collections.messages).deleteMany({});
    await db.collection(collections.windows).deleteMany({});
    // It let the database delete the older reading by its arrival, and its retention was set to unlimited later.
    await store(9 * dayMs);
    await db.collection(collections.messages).deleteMany({});
    await store(5 * dayMs);
    await db.collection(collections.messages).dropIndex("arrived");
    await db
      .collection(collections.messages)
      .createIndex({ arrived: 1 }, { name: "arrived", expireAfterSeconds: 864_000 });
    await prepareMesh(options);
    const indexes = await db.collection(collections.messages).indexes();
    expect(indexes.find(({ name }) => name === "arrived")?.expireAfterSeconds).toBeUndefined();
    const concluded = marksOf((await marks()) as RetentionDocument, defaultLevels);
    expect(Math.abs(Date.now() - concluded.rawMs - 4 * dayMs)).toBeLessThan(hourMs);

    // Derived from its settings, because nothing else records it.
    await db.collection(collections.retention).deleteMany({});
    await db.collection(collections.windows).deleteMany({});
    await db
      .collection<SettingsDocument>(collections.settings)
      .updateOne({ _id: "mesh" }, { $set: { retain_raw_ms: 10 * dayMs } });
    await prepareMesh(options);
    const bySettings = marksOf((await marks()) as RetentionDocument, defaultLevels);
    expect(Math.abs(Date.now() - bySettings.rawMs - 10 * dayMs - hourMs)).toBeLessThan(60_000);
  });
});
