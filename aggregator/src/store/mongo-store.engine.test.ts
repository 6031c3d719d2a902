import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { collections, type RetentionDocument } from "@devicemesh/pipeline";
import { describe, expect, it } from "vitest";
import {
  bruteForce,
  duplicateWindowOf,
  messageOf,
  openTestStore,
  partialsOf,
  rounded,
  steadyReadings,
  type TestReading,
  twoLevels,
} from "../../testing/mongo-test-database.ts";
import { createMongoLevels } from "../levels/mongo-levels.ts";

const engines = await testEngines();
const mongodbUrl = engines?.mongodbUrl ?? "";
const levels = twoLevels;
const [fine, coarse] = levels;
const sinceMs = Date.UTC(2026, 0, 1);
const everything = { lastDuplicateSinceMs: 0, rawKeptSinceMs: Number.NEGATIVE_INFINITY, limit: 100 };

const openStore = () => openTestStore(mongodbUrl);

describe.skipIf(!engines)("the aggregator's store in MongoDB", () => {
  it("reads the settings, and returns undefined if there are none", async () => {
    const { database, db, store } = await openStore();
    await using _ = database;
    expect(await store.readSettings()).toEqual({ levels, partitions: 2 });
    await db.collection(collections.settings).deleteMany({});
    expect(await store.readSettings()).toBeUndefined();
  });

  it("publishes frontiers that only move forward, independently of each other", async () => {
    const { database, store } = await openStore();
    await using _ = database;
    expect(await store.readFrontier()).toEqual({
      completeThroughMs: 0,
      frontiersMs: [],
      logEndMs: undefined,
    });
    await store.publishFrontier({ completeThroughMs: 5000 });
    expect(await store.readFrontier()).toEqual({
      completeThroughMs: 5000,
      frontiersMs: [0, 0],
      logEndMs: undefined,
    });
    await store.publishFrontier({ level: { level: 1, frontierMs: 600_000 }, logEndMs: 7000 });
    await store.publishFrontier({ level: { level: 0, frontierMs: 1_200_000 } });
    await store.publishFrontier({
      completeThroughMs: 4000,
      logEndMs: 6000,
      level: { level: 0, frontierMs: 900_000 },
    });
    expect(await store.readFrontier()).toEqual({
      completeThroughMs: 5000,
      frontiersMs: [1_200_000, 600_000],
      logEndMs: 7000,
    });
  });

  it("folds a segment of a coarse level to the result of brute force, also if folded twice", async () => {
    const { database, store, partials, folded } = await openStore();
    await using _ = database;
    const readings = steadyReadings({ devices: 3, sinceMs, seconds: 1500 });
    await partials.insertMany(partialsOf(readings, fine));
    const toMs = sinceMs + coarse.segmentMs;
    const wanted = partialsOf(readings, coarse, toMs).map(rounded);
    for (let time = 0; time < 2; time++) {
      await store.foldSegment({ level: 1, sinceMs, toMs, isPure: false });
      const found = await folded.find().sort({ _id: 1 }).toArray();
      expect(found.map(rounded)).toEqual(wanted);
    }
    expect(wanted.some(({ count }) => count > 300)).toBe(true);
  });

  it("folds many series in batches", async () => {
    const { database, db, store, partials, folded } = await openStore();
    await using _ = database;
    const readings = steadyReadings({ devices: 12, sinceMs, seconds: 40 });
    await partials.insertMany(partialsOf(readings, fine));
    await store.registerSeries({ sinceMs, toMs: sinceMs + 600_000 });
    const batches = createMongoLevels({
      db,
      levels,
      seriesMax: 5,
      rawKeptSinceMs: async () => Number.NEGATIVE_INFINITY,
    });
    await batches.foldSegment({ level: 1, sinceMs, toMs: sinceMs + 600_000, isPure: false });
    const found = await folded.find().sort({ _id: 1 }).toArray();
    expect(found.map(rounded)).toEqual(partialsOf(readings, coarse).map(rounded));
  });

  it("finds the first segment that has partials", async () => {
    const { database, store, partials } = await openStore();
    await using _ = database;
    expect(await store.firstSegment(0, 0)).toBeUndefined();
    await partials.insertMany(partialsOf(steadyReadings({ devices: 1, sinceMs, seconds: 25 }), fine));
    expect(await store.firstSegment(0, 0)).toBe(sinceMs);
    expect(await store.firstSegment(0, sinceMs + 1)).toBe(sinceMs + 10_000);
    expect(await store.firstSegment(0, sinceMs + 30_000)).toBeUndefined();
  });

  it("registers each series of the given segments once", async () => {
    const { database, db, store, partials } = await openStore();
    await using _ = database;
    const early = steadyReadings({ devices: 2, sinceMs, seconds: 10 });
    const late = steadyReadings({ devices: 3, sinceMs: sinceMs + 10_000, seconds: 10 });
    await partials.insertMany([...partialsOf(early, fine), ...partialsOf(late, fine)]);
    const names = async () =>
      (await db.collection(collections.series).find().sort({ device_id: 1 }).toArray()).map(
        ({ device_id }) => device_id,
      );
    await store.registerSeries({ sinceMs, toMs: sinceMs + 10_000 });
    expect(await names()).toEqual(["barometer-0", "barometer-1"]);
    await store.registerSeries({ sinceMs, toMs: sinceMs + 20_000 });
    expect(await names()).toEqual(["barometer-0", "barometer-1", "barometer-2"]);
  });

  it("repairs the windows of a span from the raw readings before the frontier, and empty ones as empty", async () => {
    const { database, db, store } = await openStore();
    await using _ = database;
    const readings = steadyReadings({ devices: 2, sinceMs, seconds: 60 });
    await db
      .collection<ReturnType<typeof messageOf>>(collections.messages)
      .insertMany(readings.map(messageOf));
    const emptyMs = sinceMs + 60_000;
    const starts = [0, 10_000, 20_000, 30_000, 40_000, 50_000].map((ms) => sinceMs + ms).concat(emptyMs);
    const duplicates = db.collection<ReturnType<typeof duplicateWindowOf>>(collections.duplicateWindows);
    await duplicates.insertMany(
      starts.map((windowMs) => duplicateWindowOf("barometer-1", windowMs, sinceMs + 5000)),
    );
    const throughMs = sinceMs + 30_000;
    const span = { deviceId: "barometer-1", sensor: "pressure", sinceMs, toMs: emptyMs + 10_000 } as const;
    await store.repair(span, throughMs);

    const isIn = (windowMs: number) => (reading: TestReading) =>
      reading.deviceId === "barometer-1" &&
      reading.timestampMs >= windowMs &&
      reading.timestampMs < windowMs + 10_000 &&
      reading.arrivedMs < throughMs;
    for (const windowMs of starts) {
      const repair = (await duplicates.findOne({ window_start: new Date(windowMs) }))?.repair;
      const readingsOfWindow = readings.filter(isIn(windowMs));
      const wanted = readingsOfWindow.length === 0 ? { count: 0 } : rounded(bruteForce(readingsOfWindow));
      const { through, ...figures } = repair as NonNullable<typeof repair>;
      expect(through).toEqual(new Date(throughMs));
      expect(figures.count === 0 ? figures : rounded(figures as ReturnType<typeof bruteForce>)).toEqual(
        wanted,
      );
    }
  });

  it("skips windows whose raw readings were deleted, even if retention is unlimited now", async () => {
    const { database, db, store } = await openStore();
    await using _ = database;
    const marks = db.collection<RetentionDocument>(collections.retention);
    await marks.insertOne({
      _id: "marks",
      raw: new Date(sinceMs + 10_000),
      levels: [new Date(0), new Date(0)],
    });
    const duplicates = db.collection<ReturnType<typeof duplicateWindowOf>>(collections.duplicateWindows);
    await duplicates.insertMany([
      duplicateWindowOf("a", sinceMs, sinceMs),
      duplicateWindowOf("a", sinceMs + 10_000, sinceMs),
    ]);
    const rawKeptSinceMs = await store.readRawKeptSince();
    expect(rawKeptSinceMs).toBe(sinceMs + 10_000);
    const found = await store.findDuplicateWindows({
      ...everything,
      frontierMs: sinceMs + 50_000,
      rawKeptSinceMs,
    });
    expect(found.map(({ windowMs }) => windowMs)).toEqual([sinceMs + 10_000]);
    // Like an aggregator that chose its span before the mark moved.
    const span = { deviceId: "a", sensor: "pressure", sinceMs, toMs: sinceMs + 20_000 } as const;
    await store.repair(span, sinceMs + 50_000);
    const repaired = await duplicates.find({ repair: { $exists: true } }).toArray();
    expect(repaired.map(({ window_start }) => window_start.getTime())).toEqual([sinceMs + 10_000]);
  });

  it("keeps a repair that was made at a later frontier", async () => {
    const { database, db, store } = await openStore();
    await using _ = database;
    const duplicates = db.collection<ReturnType<typeof duplicateWindowOf>>(collections.duplicateWindows);
    await duplicates.insertOne(duplicateWindowOf("a", sinceMs, sinceMs));
    const span = { deviceId: "a", sensor: "pressure", sinceMs, toMs: sinceMs + 10_000 } as const;
    await store.repair(span, sinceMs + 50_000);
    await store.repair(span, sinceMs + 40_000);
    expect((await duplicates.findOne({}))?.repair?.through).toEqual(new Date(sinceMs + 50_000));
  });

  it("finds windows with duplicates that no repair covers, the oldest duplicate first", async () => {
    const { database, db, store } = await openStore();
    await using _ = database;
    const duplicates = db.collection<ReturnType<typeof duplicateWindowOf>>(collections.duplicateWindows);
    await duplicates.insertMany([
      duplicateWindowOf("late", sinceMs, sinceMs + 9000),
      duplicateWindowOf("early", sinceMs, sinceMs + 1000),
      duplicateWindowOf("later than the frontier", sinceMs, sinceMs + 20_000),
      duplicateWindowOf("old window", sinceMs - 10_000, sinceMs + 500),
      {
        ...duplicateWindowOf("covered", sinceMs, sinceMs + 1000),
        repair: { through: new Date(sinceMs + 2000), count: 0 },
      },
      {
        ...duplicateWindowOf("again", sinceMs, sinceMs + 4000),
        repair: { through: new Date(sinceMs + 2000), count: 0 },
      },
    ]);
    const search = { ...everything, frontierMs: sinceMs + 10_000 };
    const devices = async (options: Partial<typeof search>) =>
      (await store.findDuplicateWindows({ ...search, ...options })).map(({ deviceId }) => deviceId);
    expect(await devices({})).toEqual(["old window", "early", "again", "late"]);
    expect(await devices({ rawKeptSinceMs: sinceMs })).toEqual(["early", "again", "late"]);
    expect(await devices({ lastDuplicateSinceMs: sinceMs + 4000, limit: 1 })).toEqual(["again"]);
    const [, , again] = await store.findDuplicateWindows(search);
    expect(again).toEqual({
      deviceId: "again",
      sensor: "pressure",
      windowMs: sinceMs,
      firstDuplicateMs: sinceMs + 4000,
      lastDuplicateMs: sinceMs + 4000,
      repairedThroughMs: sinceMs + 2000,
    });
  });

  it("keeps the first start of a checkpoint", async () => {
    const { database, store } = await openStore();
    await using _ = database;
    const start = {
      sinceMs,
      startingOffsets: new Map([
        [1, 7],
        [0, 5],
      ]),
    };
    const remembered = {
      sinceMs,
      startingOffsets: new Map([
        [0, 5],
        [1, 7],
      ]),
    };
    expect(await store.rememberCheckpoint("a", async () => start)).toEqual(remembered);
    const later = await store.rememberCheckpoint("a", async () => ({
      sinceMs: 0,
      startingOffsets: new Map(),
    }));
    expect(later).toEqual(remembered);
  });
});
