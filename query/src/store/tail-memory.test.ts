import type { Level } from "@devicemesh/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketStart, fixedGrid } from "../calendar/bucket-grid.ts";
import { mergePartials, partialOfReading } from "../plan/merge.ts";
import { planRead } from "../plan/planner.ts";
import type { DuplicateWindow, ReadPlan, Scan, SeriesFilter, SeriesPartial } from "./reading-store.ts";
import type { StoreHorizon } from "./store-status.ts";
import { createTailMemory } from "./tail-memory.ts";

const second = 1000;
const startMs = Date.UTC(2026, 10, 24, 12);
const levels: readonly Level[] = [
  { windowMs: 10 * second, segmentMs: 10 * second },
  { windowMs: 600 * second, segmentMs: 60 * second },
];

type Reading = {
  readonly deviceId: string;
  readonly sensor: string;
  readonly timestampMs: number;
  readonly value: number;
  readonly arrivedMs: number;
};

const grid = (buckets: number | null) => (buckets === null ? undefined : fixedGrid(buckets, 0));

function partialsOf(readings: readonly Reading[], bucketMs: number | null): SeriesPartial[] {
  const buckets = grid(bucketMs);
  return readings.map((reading) => ({
    ...partialOfReading(reading),
    deviceId: reading.deviceId,
    sensor: reading.sensor,
    bucketMs: buckets ? bucketStart(buckets, reading.timestampMs) : 0,
    fromRaw: 1,
  }));
}

/** The readings of the raw scans of a plan, as a database finds them. */
function rawOf(readings: readonly Reading[], plan: ReadPlan, { deviceIds, sensors }: SeriesFilter) {
  const except = plan.duplicates?.except.raw ?? [];
  const isIn = (scan: Scan, { timestampMs, arrivedMs }: Reading): boolean =>
    timestampMs >= scan.sinceMs &&
    timestampMs < scan.toMs &&
    arrivedMs >= scan.arrivedSinceMs &&
    arrivedMs < scan.arrivedToMs;
  return plan.raw.flatMap((scan) =>
    readings.filter(
      (reading) =>
        isIn(scan, reading) &&
        (deviceIds.length === 0 || deviceIds.includes(reading.deviceId)) &&
        (sensors.length === 0 || sensors.includes(reading.sensor)) &&
        !except.some(
          ({ series, sinceMs, toMs }) =>
            reading.timestampMs >= sinceMs &&
            reading.timestampMs < toMs &&
            series.some((name) => name.deviceId === reading.deviceId && name.sensor === reading.sensor),
        ),
    ),
  );
}

/** One row for each group and bucket, with sums rounded so that they compare equal. */
function merged(partials: readonly SeriesPartial[], mergeDevices: boolean) {
  const groups = Map.groupBy(partials, (partial) =>
    [mergeDevices ? "" : partial.deviceId, partial.sensor, partial.bucketMs].join(" "),
  );
  return [...groups]
    .map(([key, group]) => {
      const { sum, m2, ...figures } = mergePartials(group);
      const fromRaw = group.reduce((count, each) => count + each.fromRaw, 0);
      return { key, ...figures, fromRaw, sum: Number(sum.toFixed(6)), m2: Number(m2.toFixed(3)) };
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

const reading = fc.record({
  deviceId: fc.constantFrom("a", "b", "c"),
  sensor: fc.constantFrom("temperature", "humidity"),
  lateMs: fc.oneof(fc.nat(5 * second), fc.nat(700 * second)),
  value: fc.integer({ min: -50, max: 50 }),
  arrivedMs: fc.nat(600 * second - 1).map((ms) => startMs + ms),
});

const question = fc.record({
  since: fc.integer({ min: -900, max: 600 }),
  seconds: fc.integer({ min: 1, max: 1500 }),
  oddMs: fc.constantFrom(0, 0, 1, 4321),
  devices: fc.subarray(["a", "b", "unknown"], { maxLength: 2 }),
  sensors: fc.subarray(["temperature"]),
  mergeDevices: fc.boolean(),
  bucketMs: fc.constantFrom(null, null, 10 * second, 60 * second, 7 * second, 601 * second),
});

const duplicate = fc.record({
  deviceId: fc.constantFrom("a", "b"),
  sensor: fc.constantFrom("temperature", "humidity"),
  window: fc.integer({ min: -60, max: 59 }),
});

/** Frontier, the end of what is complete, and questions at that time. */
const moment = fc.record({
  frontierS: fc.nat(30).map((tens) => tens * 10),
  throughS: fc.nat(600),
  questions: fc.array(question, { maxLength: 3 }),
});

describe("createTailMemory", () => {
  it.each([
    ["everything", 1e6],
    ["a few rows", 1000],
  ])("never changes an answer, holding %s", { timeout: 60_000 }, async (_, bytesMax) => {
    let served = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(reading, { minLength: 5, maxLength: 80 }),
        fc.array(duplicate, { maxLength: 3 }),
        fc.array(moment, { minLength: 1, maxLength: 5 }),
        async (made, marked, moments) => {
          const all = made.map(({ lateMs, ...each }) => ({ ...each, timestampMs: each.arrivedMs - lateMs }));
          const memory = createTailMemory({
            bytesMax,
            async load({ sinceMs, toMs }, windowMs, add) {
              const found = all.filter(({ arrivedMs }) => arrivedMs >= sinceMs && arrivedMs < toMs);
              partialsOf(found, windowMs).every(add);
            },
          });
          const inOrder = moments.toSorted((a, b) => a.frontierS - b.frontierS);
          let throughMs = 0;
          for (const { frontierS, throughS, questions } of inOrder) {
            const frontierMs = startMs + frontierS * second;
            throughMs = Math.max(throughMs, frontierMs, startMs + throughS * second);
            const stored = all.filter(({ arrivedMs }) => arrivedMs < throughMs);
            const horizon: StoreHorizon = {
              completeThroughMs: throughMs,
              frontiersMs: [frontierMs, frontierMs - (frontierMs % (60 * second))],
              levelsKeptSinceMs: [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
              rawKeptSinceMs: Number.NEGATIVE_INFINITY,
            };
            memory.follow(horizon, levels);
            for (const each of questions) {
              const sinceMs = startMs + each.since * second + each.oddMs;
              const buckets = grid(each.bucketMs);
              const windows = marked.map(
                ({ window, ...series }): DuplicateWindow => ({
                  ...series,
                  windowMs: startMs + window * 10 * second,
                  firstDuplicateMs: startMs,
                  lastDuplicateMs: startMs,
                }),
              );
              const timeframe = { sinceMs, toMs: sinceMs + each.seconds * second };
              const request = { ...timeframe, levels, horizon, buckets, duplicates: { windows } };
              const { plan } = planRead(request);
              const filter = { deviceIds: each.devices, sensors: each.sensors };
              const { partials, rest } = await memory.read({ ...each, plan, filter, buckets });
              served += partials.length;
              const found = [...partials, ...partialsOf(rawOf(stored, rest, filter), each.bucketMs)];
              const expected = partialsOf(rawOf(stored, plan, filter), each.bucketMs);
              expect(merged(found, each.mergeDevices)).toEqual(merged(expected, each.mergeDevices));
              expect(rest).toEqual({ ...plan, raw: rest.raw });
            }
            await memory.settled();
            expect(memory.bytes).toBeLessThanOrEqual(bytesMax);
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(served).toBeGreaterThan(0);
  });

  it("leaves only the readings of the last segment to the database", async () => {
    const loaded: number[] = [];
    const memory = createTailMemory({
      bytesMax: 1e6,
      async load({ sinceMs }, _, add) {
        loaded.push(sinceMs);
        add(
          partialsOf(
            [{ deviceId: "a", sensor: "temperature", timestampMs: sinceMs, value: 1, arrivedMs: sinceMs }],
            10 * second,
          )[0] as SeriesPartial,
        );
      },
    });
    const horizonAt = (throughMs: number, frontierMs: number): StoreHorizon => ({
      completeThroughMs: throughMs,
      frontiersMs: [frontierMs, frontierMs],
      levelsKeptSinceMs: [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
      rawKeptSinceMs: Number.NEGATIVE_INFINITY,
    });
    const throughMs = startMs + 605 * second;
    const horizon = horizonAt(throughMs, startMs);
    memory.follow(horizonAt(startMs + 30 * second, startMs), levels);
    expect(loaded).toEqual([]);
    memory.follow(horizon, levels);
    await memory.settled();
    expect(loaded).toHaveLength(60);
    const { plan } = planRead({
      sinceMs: startMs - 600 * second,
      toMs: startMs + 600 * second,
      levels,
      horizon,
    });
    const filter = { deviceIds: [], sensors: [] };
    const { partials, rest } = await memory.read({ plan, filter, buckets: undefined });
    expect(partials).toMatchObject([{ deviceId: "a", count: 60, fromRaw: 60 }]);
    expect(rest.raw.map(({ arrivedSinceMs }) => arrivedSinceMs)).toEqual([startMs + 600 * second]);
    memory.follow(horizonAt(throughMs, startMs + 600 * second), levels);
    expect(memory.bytes).toBe(0);
  });
});
