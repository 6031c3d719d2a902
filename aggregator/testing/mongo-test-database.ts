import { randomBytes } from "node:crypto";
import {
  collections,
  type DuplicateWindowDocument,
  type MessageDocument,
  type PartialDocument,
  type PartialFigures,
  partialsCollection,
  type SettingsDocument,
  windowId,
} from "@devicemesh/pipeline";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import { alignDown, isoMilliseconds, type Level } from "@devicemesh/proto";
import type { Db } from "mongodb";
import { createMongoStore } from "../src/store/mongo-store.ts";

/** A separate database for a test, with the settings of a mesh; dropped when disposed. */
export async function openTestDatabase(options: {
  readonly mongodbUrl: string;
  readonly levels: readonly Level[];
  readonly partitions?: number;
  readonly retainRawMs?: number;
}): Promise<AsyncDisposable & { readonly db: Db; readonly name: string }> {
  const name = `aggregator_test_${randomBytes(4).toString("hex")}`;
  const connection = openMongo({ url: options.mongodbUrl, database: name, appName: "test" });
  const { db } = connection;
  await db.collection<SettingsDocument>(collections.settings).insertOne({
    _id: "mesh",
    levels: options.levels.map(({ windowMs, segmentMs }) => ({
      window_ms: windowMs,
      segment_ms: segmentMs,
    })),
    partitions: options.partitions ?? 2,
    retain_raw_ms: options.retainRawMs ?? null,
  });
  return {
    db,
    name,
    async [Symbol.asyncDispose]() {
      await db.dropDatabase();
      await connection[Symbol.asyncDispose]();
    },
  };
}

/** Two levels of windows, of 10 s and 10 min, with segments of the same length. */
export const twoLevels = [
  { windowMs: 10_000, segmentMs: 10_000 },
  { windowMs: 600_000, segmentMs: 600_000 },
] as const;

/** Opens the aggregator's store over a test database with `twoLevels`, and the collections of both levels. */
export async function openTestStore(mongodbUrl: string) {
  const database = await openTestDatabase({ mongodbUrl, levels: twoLevels });
  const { db } = database;
  const store = createMongoStore({ db, levels: twoLevels, clock: Date.now });
  const partials = db.collection<PartialDocument>(collections.windows);
  const folded = db.collection<PartialDocument>(partialsCollection(1, twoLevels[1].windowMs));
  return { database, db, store, partials, folded };
}

/** A reading with its arrival. */
export type TestReading = {
  readonly deviceId: string;
  readonly timestampMs: number;
  readonly arrivedMs: number;
  readonly value: number;
};

const sensor = "pressure";

export function messageOf(reading: TestReading, offset: number): MessageDocument {
  return {
    _id: `${reading.deviceId}|${sensor}|${isoMilliseconds(reading.timestampMs)}`,
    device_id: reading.deviceId,
    sensor,
    timestamp: new Date(reading.timestampMs),
    value: reading.value,
    arrived: new Date(reading.arrivedMs),
    offset,
  };
}

export function duplicateWindowOf(
  deviceId: string,
  windowMs: number,
  duplicateMs: number,
): DuplicateWindowDocument {
  return {
    _id: windowId({ deviceId, sensor, windowMs }),
    device_id: deviceId,
    sensor,
    window_start: new Date(windowMs),
    first_repeat: new Date(duplicateMs),
    last_repeat: new Date(duplicateMs),
  };
}

/** Adds up readings by the textbook: one pass for the mean, one for the distances from it. */
export function bruteForce(readings: readonly TestReading[]): PartialFigures {
  const byTime = readings.toSorted((a, b) => a.timestampMs - b.timestampMs);
  const values = byTime.map(({ value }) => value);
  const sum = values.reduce((total, value) => total + value, 0);
  const [minimum, maximum] = [Math.min(...values), Math.max(...values)];
  const at = (value: number) => new Date(byTime.find((one) => one.value === value)?.timestampMs as number);
  const mean = sum / values.length;
  const [first, last] = [byTime[0] as TestReading, byTime.at(-1) as TestReading];
  return {
    count: values.length,
    sum,
    minimum,
    minimum_at: at(minimum),
    maximum,
    maximum_at: at(maximum),
    first_at: new Date(first.timestampMs),
    first_value: first.value,
    last_at: new Date(last.timestampMs),
    last_value: last.value,
    m2: values.reduce((total, value) => total + (value - mean) ** 2, 0),
  };
}

/** Returns the partials of a level, by brute force over all readings that arrived before `arrivedToMs`. */
export function partialsOf(
  readings: readonly TestReading[],
  { windowMs, segmentMs }: Level,
  arrivedToMs = Number.POSITIVE_INFINITY,
): PartialDocument[] {
  const groups = Map.groupBy(
    readings.filter(({ arrivedMs }) => arrivedMs < arrivedToMs),
    ({ deviceId, timestampMs, arrivedMs }) =>
      [
        deviceId,
        sensor,
        isoMilliseconds(alignDown(timestampMs, windowMs)),
        isoMilliseconds(alignDown(arrivedMs, segmentMs)),
      ].join("|"),
  );
  return [...groups]
    .map(([id, group]): PartialDocument => {
      const [one] = group as [TestReading];
      return {
        _id: id,
        device_id: one.deviceId,
        sensor,
        window_start: new Date(alignDown(one.timestampMs, windowMs)),
        segment_start: new Date(alignDown(one.arrivedMs, segmentMs)),
        ...bruteForce(group),
      };
    })
    .sort((a, b) => (a._id < b._id ? -1 : 1));
}

/** Readings of a pressure that hardly moves: what squares of values would drown in rounding. */
export function steadyReadings(options: {
  readonly devices: number;
  readonly sinceMs: number;
  readonly seconds: number;
}): TestReading[] {
  const readings: TestReading[] = [];
  for (let device = 0; device < options.devices; device++) {
    for (let second = 0; second < options.seconds; second++) {
      const place = device * 31 + second * 7;
      const arrivedMs = options.sinceMs + second * 1000;
      // Some are minutes late, some a little early.
      const lateMs = place % 11 === 0 ? 400_250 : place % 13 === 0 ? -2500 : 0;
      readings.push({
        deviceId: `barometer-${device}`,
        timestampMs: arrivedMs - lateMs + device,
        arrivedMs,
        value: 1013.25 + ((place % 5) - 2) * 0.005,
      });
    }
  }
  return readings;
}

/** Rounds the figures by as much as the order of addition may change them. */
export function rounded<T extends PartialFigures>(figures: T): T {
  return {
    ...figures,
    count: Number(figures.count),
    sum: Number(figures.sum.toPrecision(14)),
    m2: Number(figures.m2.toFixed(10)),
  };
}
