import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { indexDefinitions } from "@devicemesh/operator";
import {
  collections,
  type DuplicateWindowDocument,
  type MessageDocument,
  type PartialDocument,
  partialsCollection,
} from "@devicemesh/pipeline";
import { alignDown, alignUp, defaultLevels, isoMilliseconds, type Level } from "@devicemesh/proto";
import { addSketchBytes, countOfSketches, valueBucket } from "@devicemesh/query";
import fc from "fast-check";
import type { Db } from "mongodb";
import { describe, expect, it } from "vitest";
import {
  duplicateWindowOf,
  messageOf,
  openTestDatabase,
  partialsOf,
  type TestReading,
} from "../../testing/mongo-test-database.ts";
import { createMongoStore } from "../store/mongo-store.ts";
import { createMongoSketches } from "./mongo-sketches.ts";

const engines = await testEngines();
const mongodbUrl = engines?.mongodbUrl ?? "";
const levels = defaultLevels as [Level, Level, Level];
const [finest, tenMinutes, day] = levels;
const sinceMs = Date.UTC(2026, 0, 1);
const collectionOf = (db: Db, level: number) =>
  db.collection<PartialDocument>(partialsCollection(level, (levels[level] as Level).windowMs));

/** Readings of three devices that arrive within a day, at their time or up to two days late or an hour early. */
const streams = fc.array(
  fc.record({
    device: fc.nat(2),
    arrivedMs: fc.oneof(fc.nat(1_300_000), fc.nat(86_399_999)),
    lateMs: fc.oneof(fc.integer({ min: -3_600_000, max: 1000 }), fc.nat(2 * 86_400_000)),
    value: fc.double({ min: -40, max: 60, noNaN: true }),
    copies: fc.constantFrom(0, 0, 0, 1),
  }),
  { minLength: 1, maxLength: 60 },
);

/** Stores the readings, their copies in partials of the finest level, and the marks of these. */
async function store(db: Db, stream: readonly (TestReading & { readonly copies: number })[]): Promise<void> {
  const copies = stream.filter((each) => each.copies > 0);
  await db.collection<MessageDocument>(collections.messages).insertMany(stream.map(messageOf));
  await collectionOf(db, 0).insertMany(partialsOf([...stream, ...copies], finest));
  const marks = copies.map(({ deviceId, timestampMs, arrivedMs }) =>
    duplicateWindowOf(deviceId, alignDown(timestampMs, finest.windowMs), arrivedMs),
  );
  for (const { _id, ...mark } of marks) {
    const { first_repeat, last_repeat, ...rest } = mark;
    await db
      .collection<DuplicateWindowDocument>(collections.duplicateWindows)
      .updateOne(
        { _id },
        { $setOnInsert: rest, $min: { first_repeat }, $max: { last_repeat } },
        { upsert: true },
      );
  }
}

/** The counts of all sketches of a level, by partial; undefined for one that does not count what its partial counts. */
async function sketchesOf(db: Db, level: number): Promise<Map<string, Map<number, number> | undefined>> {
  const documents = await collectionOf(db, level).find().toArray();
  return new Map(
    documents.map(({ _id, count, sketches = [] }) => {
      const parts = sketches.map(({ buffer, position }) => buffer.subarray(0, position));
      const sum = new Map<number, number>();
      for (const part of parts) addSketchBytes(sum, part);
      return [_id, countOfSketches(parts) === Number(count) ? sum : undefined];
    }),
  );
}

function wantedSketches(readings: readonly TestReading[], { windowMs, segmentMs }: Level) {
  const wanted = new Map<string, Map<number, number>>();
  for (const { deviceId, timestampMs, arrivedMs, value } of readings) {
    const [window, segment] = [alignDown(timestampMs, windowMs), alignDown(arrivedMs, segmentMs)];
    const id = [deviceId, "pressure", isoMilliseconds(window), isoMilliseconds(segment)].join("|");
    const sum = wanted.get(id) ?? new Map<number, number>();
    sum.set(valueBucket(value), (sum.get(valueBucket(value)) ?? 0) + 1);
    wanted.set(id, sum);
  }
  return wanted;
}

function readingsOf(
  stream: readonly { device: number; arrivedMs: number; lateMs: number; value: number; copies: number }[],
) {
  const byIdentity = new Map(
    stream.map(({ device, arrivedMs, lateMs, value, copies }) => {
      const arrived = sinceMs + arrivedMs;
      const reading = {
        deviceId: `device-${device}`,
        timestampMs: arrived - lateMs,
        arrivedMs: arrived,
        value,
        copies,
      };
      return [`${device}|${reading.timestampMs}`, reading];
    }),
  );
  return [...byIdentity.values()];
}

async function openDatabase() {
  const database = await openTestDatabase({ mongodbUrl, levels });
  for (const { collection, name, fields } of indexDefinitions({ levels })) {
    const keys = Object.fromEntries(fields.map((field) => [field, 1] as const));
    await database.db.collection(collection).createIndex(keys, { name });
  }
  return database;
}

describe.skipIf(!engines)("sketches in MongoDB", () => {
  it("count every reading of a partial once: late, early, with duplicates, and folded twice", {
    timeout: 240_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(streams, async (stream) => {
        await using database = await openDatabase();
        const { db } = database;
        const readings = readingsOf(stream);
        await store(db, readings);
        const aggregator = createMongoStore({ db, levels, clock: () => sinceMs });
        await aggregator.registerSeries({ sinceMs, toMs: sinceMs + day.segmentMs });
        for (let time = 0; time < 2; time++) {
          const segments = new Set(
            readings.map(({ arrivedMs }) => alignDown(arrivedMs, tenMinutes.segmentMs)),
          );
          for (const startMs of segments) {
            const segment = { level: 1, sinceMs: startMs, toMs: startMs + tenMinutes.segmentMs };
            expect(await aggregator.foldSegment({ ...segment, isPure: true })).toBe(true);
          }
          await aggregator.foldSegment({ level: 2, sinceMs, toMs: sinceMs + day.segmentMs, isPure: false });
          expect(await sketchesOf(db, 1)).toEqual(wantedSketches(readings, tenMinutes));
          expect(await sketchesOf(db, 2)).toEqual(wantedSketches(readings, day));
        }
      }),
      { numRuns: 6 },
    );
  });

  it("come in several parts if they are many, and do not count if a part is added twice", async () => {
    await using database = await openDatabase();
    const { db } = database;
    const readings = Array.from({ length: 900 }, (_, place): TestReading => {
      const arrivedMs = sinceMs + (place % 300) * 1999;
      return { deviceId: `device-${place % 3}`, timestampMs: sinceMs + place, arrivedMs, value: place / 3 };
    });
    await db.collection<MessageDocument>(collections.messages).insertMany(readings.map(messageOf));
    await collectionOf(db, 1).insertMany(partialsOf(readings, tenMinutes));
    const unable: unknown[] = [];
    const sketches = createMongoSketches({
      db,
      bucketsMax: 100,
      sliceMs: 70_000,
      onUnable: (error) => unable.push(error),
    });
    const fold = {
      sinceMs,
      toMs: alignUp(sinceMs + 1, tenMinutes.segmentMs),
      windowMs: tenMinutes.windowMs,
      into: collectionOf(db, 1),
    };
    await sketches.fromReadings(fold);
    expect(await sketchesOf(db, 1)).toEqual(wantedSketches(readings, tenMinutes));
    const parts = await collectionOf(db, 1).find().toArray();
    expect(parts.every(({ sketches: found = [] }) => found.length > 1)).toBe(true);
    await sketches.fromReadings(fold);
    expect(new Set((await sketchesOf(db, 1)).values())).toEqual(new Set([undefined]));
    expect(unable).toEqual([]);
  });

  it("stay the same if a former leader writes them again", async () => {
    await using database = await openDatabase();
    const { db } = database;
    const readings = readingsOf([
      { device: 1, arrivedMs: 7, lateMs: 0, value: 20, copies: 0 },
      { device: 1, arrivedMs: 8, lateMs: 0, value: 21, copies: 0 },
    ]);
    await db.collection<MessageDocument>(collections.messages).insertMany(readings.map(messageOf));
    await collectionOf(db, 1).insertMany(partialsOf(readings, tenMinutes));
    const { windowMs, segmentMs } = tenMinutes;
    const fold = { sinceMs, toMs: sinceMs + segmentMs, windowMs, into: collectionOf(db, 1) };
    const leaders = [0, 1].map(() =>
      createMongoSketches({ db, onUnable: (error) => expect.unreachable(String(error)) }),
    );
    for (const { fromReadings } of leaders) await fromReadings(fold);
    expect(await sketchesOf(db, 1)).toEqual(wantedSketches(readings, tenMinutes));
  });

  it("are left out if an older operator made the collection, and the fold succeeds", async () => {
    await using database = await openDatabase();
    const { db } = database;
    const name = partialsCollection(1, tenMinutes.windowMs);
    await db.command({ collMod: name, validator: { sketches: { $exists: false } } });
    const readings = readingsOf([{ device: 1, arrivedMs: 7, lateMs: 0, value: 20, copies: 0 }]);
    await store(db, readings);
    const unable: unknown[] = [];
    const aggregator = createMongoStore({
      db,
      levels,
      clock: () => sinceMs,
      onUnable: (error) => unable.push(error),
    });
    const fold = { level: 1, sinceMs, toMs: sinceMs + tenMinutes.segmentMs, isPure: true };
    expect(await aggregator.foldSegment(fold)).toBe(true);
    expect(unable).toHaveLength(1);
    expect((await collectionOf(db, 1).findOne())?.count).toBe(1);
    expect([...(await sketchesOf(db, 1)).values()]).toEqual([undefined]);
  });
});
