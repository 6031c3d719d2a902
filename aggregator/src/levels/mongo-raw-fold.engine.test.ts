import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { collections, type DuplicateWindowDocument, type MessageDocument } from "@devicemesh/pipeline";
import { alignDown } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import {
  duplicateWindowOf,
  messageOf,
  openTestStore,
  partialsOf,
  rounded,
  steadyReadings,
  twoLevels,
} from "../../testing/mongo-test-database.ts";
import { createMongoLevels } from "./mongo-levels.ts";

const engines = await testEngines();
const mongodbUrl = engines?.mongodbUrl ?? "";
const levels = twoLevels;
const [fine, coarse] = levels;
const sinceMs = Date.UTC(2026, 0, 1);

const openStore = () => openTestStore(mongodbUrl);

describe.skipIf(!engines)("pure folds in MongoDB", () => {
  it("folds devices with duplicates from their raw readings: duplicates count in the finest level only", async () => {
    const { database, db, store, partials, folded } = await openStore();
    await using _ = database;
    const readings = steadyReadings({ devices: 7, sinceMs, seconds: 700 });
    const toMs = sinceMs + coarse.segmentMs;
    // Some are sent again at once; one was measured an hour before its segment, so its window has no other reading.
    const copied = readings.filter(({ deviceId }) => ["barometer-1", "barometer-4"].includes(deviceId));
    const late = { ...readings[0]!, deviceId: "barometer-9", arrivedMs: sinceMs + 5000 };
    const before = { ...late, arrivedMs: sinceMs - 3_600_000 };
    const copies = [...copied, late];
    await db
      .collection<MessageDocument>(collections.messages)
      .insertMany([...readings, before].map((reading, offset) => messageOf(reading, offset)));
    await partials.insertMany(partialsOf([...readings, before, ...copies], fine));
    const marks = new Map(
      copies.map(({ deviceId, timestampMs, arrivedMs }) => {
        const mark = duplicateWindowOf(deviceId, alignDown(timestampMs, fine.windowMs), arrivedMs);
        return [mark._id, mark];
      }),
    );
    await db
      .collection<DuplicateWindowDocument>(collections.duplicateWindows)
      .insertMany([...marks.values()]);
    await store.registerSeries({ sinceMs: sinceMs - 7_200_000, toMs });
    for (let time = 0; time < 2; time++) {
      expect(await store.foldSegment({ level: 1, sinceMs, toMs, isPure: true })).toBe(true);
      const found = await folded
        .find({}, { projection: { sketches: 0 } })
        .sort({ _id: 1 })
        .toArray();
      expect(found.map(rounded)).toEqual(partialsOf(readings, coarse, toMs).map(rounded));
    }
  });

  it("reports that raw readings of a segment with duplicates may have been deleted", async () => {
    const { database, db, partials } = await openStore();
    await using _ = database;
    const reading = { deviceId: "a", timestampMs: sinceMs - 86_400_000, arrivedMs: sinceMs, value: 1 };
    await partials.insertMany(partialsOf([reading], fine));
    await db
      .collection<DuplicateWindowDocument>(collections.duplicateWindows)
      .insertOne(duplicateWindowOf("a", reading.timestampMs, sinceMs + 1));
    const fold = { level: 1, sinceMs, toMs: sinceMs + 600_000, isPure: true };
    const keptSince = (ms: number) => createMongoLevels({ db, levels, rawKeptSinceMs: async () => ms });
    expect(await keptSince(sinceMs).foldSegment(fold)).toBe(false);
    expect(await keptSince(reading.timestampMs).foldSegment(fold)).toBe(true);
  });
});
