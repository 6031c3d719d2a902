import type { Db } from "mongodb";
import { describe, expect, it } from "vitest";
import type { ReadPlan, Scan } from "../reading-store.ts";
import type { LargeReadOptions } from "./mongo-large-reads.ts";
import type { PartialRow } from "./mongo-partials.ts";
import { readPlan } from "./mongo-partials-reader.ts";

/** Of readings with any arrival. */
function scan(sinceMs: number, toMs: number): Scan {
  return { sinceMs, toMs, arrivedSinceMs: Number.NEGATIVE_INFINITY, arrivedToMs: Number.POSITIVE_INFINITY };
}

const levels = [{ windowMs: 10_000, segmentMs: 10_000 }];
const filter = { deviceIds: [], sensors: [] };
const plan: ReadPlan = { raw: [scan(0, 1000)], levels: [[]] };

/** A row of one reading: its value and its time are its index. */
function row(place: number, sensor: "temperature" | "humidity"): PartialRow {
  const t = new Date(place);
  return {
    _id: { d: `device-${String(place).padStart(6, "0")}`, s: sensor, b: 0 },
    count: 1,
    sum: place,
    lowest: { v: place, t },
    highest: { v: place, t: -place },
    first: { t, v: place },
    last: { t, v: place },
    m2: 0,
  };
}

/** A database that returns these rows for every group, and counts the rows that were read. */
function databaseOf(rows: readonly PartialRow[]) {
  const counts = { read: 0 };
  const aggregate = () => ({
    async *[Symbol.asyncIterator]() {
      for (const one of rows) {
        counts.read++;
        yield one;
      }
    },
    async toArray() {
      counts.read += rows.length;
      return [...rows];
    },
  });
  return { db: { collection: () => ({ aggregate }) } as unknown as Db, counts };
}

function read(db: Db, request: { mergeDevices?: boolean; partialsMax?: number }) {
  return readPlan({ db, plan, filter, levels, buckets: undefined, ...request }, {} as LargeReadOptions);
}

const devices = 10_000;
const twoSensors = Array.from({ length: devices }, (_, place) => [
  row(place, "temperature"),
  row(place, "humidity"),
]).flat();

describe("partials of many series", () => {
  it("are merged as they are read if devices are merged", async () => {
    const { db } = databaseOf(twoSensors);
    const { partials } = await read(db, { mergeDevices: true, partialsMax: 10 });
    const sum = (devices * (devices - 1)) / 2;
    expect(partials).toMatchObject(
      ["temperature", "humidity"].map((sensor) => ({
        deviceId: "",
        sensor,
        count: devices,
        fromRaw: devices,
        sum,
        minimum: 0,
        maximum: devices - 1,
        firstDeviceId: "device-000000",
        lastDeviceId: "device-009999",
      })),
    );
    // The variance of 0, 1, 2, ...
    expect(partials[0]!.m2 / devices).toBeCloseTo((devices ** 2 - 1) / 12, 3);
  });

  it("are not read to the end if there are more than an answer may have", async () => {
    const { db, counts } = databaseOf(twoSensors);
    const found = await read(db, { partialsMax: 100 });
    expect(found).toMatchObject({ partials: [], tooMany: 101, isStale: false });
    expect(counts.read).toBeLessThan(200);
  });

  it("count once if several scans have them", async () => {
    const { db } = databaseOf(twoSensors.slice(0, 100));
    const twice = { ...plan, raw: [...plan.raw, scan(5000, 6000)] };
    const { partials, tooMany } = await readPlan(
      { db, plan: twice, filter, levels, buckets: undefined, partialsMax: 100 },
      {} as LargeReadOptions,
    );
    expect(tooMany).toBeUndefined();
    expect(partials.map(({ count }) => count)).toEqual(Array.from({ length: 100 }, () => 2));
  });
});
