import { createSensorCatalog, type DeviceMessage } from "@devicemesh/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryReadingStore } from "../../testing/memory-store/memory-reading-store.ts";
import { createOracle } from "../../testing/oracle/index.ts";
import { calendarOracleGrid, fixedOracleGrid } from "../../testing/oracle/oracle-buckets.ts";
import { allTime } from "../plan/planner.ts";
import { exportBuckets } from "./buckets-export.ts";

const beginMs = Date.UTC(2026, 10, 23, 23, 40);
const { signal } = new AbortController();
const sizeOf = (sizeMs: number) => ({ kind: "fixed" as const, sizeMs, originMs: undefined });
const { unitOf } = createSensorCatalog();
const everything = { deviceIds: [], sensors: [] };

/** An event of the store; readings are up to two hours late and often sent again. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      readings: fc.array(
        fc.record({
          device: fc.nat(3),
          lateMs: fc.oneof(
            fc.nat(120_000),
            fc.nat(720).map((tenths) => tenths * 10_000),
          ),
          value: fc.integer({ min: -50, max: 50 }),
        }),
        { maxLength: 12 },
      ),
    }),
  },
  fc.record({ kind: fc.constant("again" as const), place: fc.nat(100) }),
  fc.record({ kind: fc.constant("advance" as const), ms: fc.oneof(fc.nat(30_000), fc.nat(2_000_000)) }),
  fc.record({ kind: fc.constant("fold" as const) }),
  fc.record({ kind: fc.constant("repair" as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never;

function createWorld(coarsePureSinceMs: number) {
  let nowMs = beginMs;
  const memory = createMemoryReadingStore({
    clock: () => nowMs,
    isCountingDuplicates: true,
    coarsePureSinceMs,
  });
  const sent: DeviceMessage[] = [];
  function publish(messages: readonly DeviceMessage[]): void {
    sent.push(...messages);
    memory.append(messages);
  }
  return {
    ...memory,
    sent,
    apply(step: Step): void {
      if (step.kind === "fold") memory.fold();
      else if (step.kind === "repair") memory.repair();
      else if (step.kind === "advance") nowMs += step.ms;
      else if (step.kind === "again") {
        const message = sent[step.place % Math.max(sent.length, 1)];
        if (message) publish([message]);
      } else
        publish(
          step.readings.map(({ device, lateMs, value }) => ({
            deviceId: `device-${device}`,
            sensor: "temperature",
            timestampMs: nowMs - lateMs,
            value,
          })),
        );
    },
  };
}

describe("an export of buckets", () => {
  it("equals brute force over the readings that had arrived when it began, whatever happens between its parts", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 14 }),
        fc.array(step, { maxLength: 10 }),
        fc.oneof(
          fc.constantFrom(10_000, 60_000, 600_000, 3_600_000).map((sizeMs) => ({
            sizing: sizeOf(sizeMs),
            grid: fixedOracleGrid(sizeMs),
          })),
          fc
            .record({
              unit: fc.constantFrom("hour" as const, "day" as const),
              zone: fc.constantFrom("UTC", "Asia/Kathmandu", "America/New_York"),
            })
            .map(({ unit, zone }) => ({
              sizing: { kind: "calendar" as const, unit, zone },
              grid: calendarOracleGrid(unit, zone),
            })),
        ),
        fc.constantFrom("series" as const, "sensor" as const),
        fc.constantFrom(0, Number.POSITIVE_INFINITY),
        fc.integer({ min: 1, max: 60 }),
        async (before, between, { sizing, grid }, grouping, coarsePureSinceMs, partialsPerRead) => {
          const world = createWorld(coarsePureSinceMs);
          for (const each of before) world.apply(each);
          const oracle = createOracle();
          oracle.accept(world.sent);
          const request = {
            filter: everything,
            grouping,
            timeframe: allTime,
            sizing,
            unitOf,
            partialsPerRead,
          };
          const { pieces, coverage } = await exportBuckets(world.store, request, signal);
          const found = [];
          let place = 0;
          for await (const piece of pieces) {
            found.push(...piece.aggregates);
            const next = between[place++];
            if (next) world.apply(next);
          }
          const answer = oracle.buckets(everything, grouping, { grid, fill: "none" });
          if (answer.kind !== "answer") throw new Error("units mix");
          const wanted = answer.value.toSorted(
            (a, b) => a.startMs - b.startMs || (a.row.deviceId < b.row.deviceId ? -1 : 1),
          );
          const figures = found.map(({ deviceId, sensor, unit, bucketMs: startMs, partial }) => {
            const { sum, m2: _, ...exact } = partial;
            return { startMs, row: { deviceId, sensor, unit, ...exact } };
          });
          expect(figures).toMatchObject(
            wanted.map(({ startMs, row }) => {
              const {
                sum: _,
                average: __,
                standardDeviation: ___,
                magnitude: ____,
                sorted: _____,
                timeWeighted: ______,
                ...exact
              } = row as typeof row & {
                [Name in
                  | "sum"
                  | "average"
                  | "standardDeviation"
                  | "magnitude"
                  | "sorted"
                  | "timeWeighted"]: unknown;
              };
              return { startMs, row: exact };
            }),
          );
          for (const [place, { row }] of wanted.entries())
            expect(found[place]?.partial.sum).toBeCloseTo((row as { sum: number }).sum, 6);
          const { fromWindows, fromRaw } = coverage();
          expect(fromWindows + fromRaw).toBe(wanted.reduce((sum, { row }) => sum + row.count, 0));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("reads in parts within the limit of partials, if a bucket has fewer", async () => {
    const world = createWorld(0);
    const readings = Array.from(
      { length: 200 },
      (_, place): DeviceMessage => ({
        deviceId: `device-${place % 4}`,
        sensor: "temperature",
        timestampMs: beginMs - place * 5000,
        value: place,
      }),
    );
    world.append(readings);
    const reads: number[] = [];
    const store: typeof world.store = {
      ...world.store,
      async readPartials(request, stop) {
        const read = await world.store.readPartials(request, stop);
        reads.push(new Set(read.partials.map(({ deviceId, bucketMs }) => `${deviceId} ${bucketMs}`)).size);
        return read;
      },
    };
    const request = {
      filter: everything,
      grouping: "series" as const,
      timeframe: allTime,
      sizing: sizeOf(10_000),
      unitOf,
      partialsPerRead: 40,
    };
    const { pieces } = await exportBuckets(store, request, signal);
    let rows = 0;
    for await (const piece of pieces) rows += piece.aggregates.length;
    expect(rows).toBe(200);
    expect(reads.length).toBeGreaterThan(4);
    expect(Math.max(...reads)).toBeLessThanOrEqual(40);
  });

  it("skips empty years: a reading of a clock that was never set costs few reads", async () => {
    const world = createWorld(0);
    const times = [Date.UTC(2000), Date.UTC(2000, 0, 1, 1), beginMs - 5000, beginMs - 3_600_000];
    world.append(
      times.map((timestampMs) => ({ deviceId: "a", sensor: "temperature", timestampMs, value: 1 })),
    );
    let reads = 0;
    const store: typeof world.store = {
      ...world.store,
      readPartials(request, stop) {
        reads++;
        return world.store.readPartials(request, stop);
      },
    };
    const request = {
      filter: everything,
      grouping: "series" as const,
      timeframe: allTime,
      sizing: sizeOf(60_000),
      unitOf,
      partialsPerRead: 5,
    };
    const { pieces } = await exportBuckets(store, request, signal);
    const starts: number[] = [];
    for await (const { aggregates } of pieces) starts.push(...aggregates.map(({ bucketMs }) => bucketMs));
    expect(starts).toEqual(times.map((ms) => Math.floor(ms / 60_000) * 60_000).toSorted((a, b) => a - b));
    expect(reads).toBeLessThan(12);
  });

  it("does not use a repair that was made after it began", async () => {
    const world = createWorld(Number.POSITIVE_INFINITY);
    const at = (timestampMs: number): DeviceMessage => ({
      deviceId: "a",
      sensor: "temperature",
      timestampMs,
      value: 1,
    });
    const repeated = at(beginMs - 10_000);
    for (const message of [at(beginMs - 3_600_000), repeated, repeated]) world.append([message]);
    world.apply({ kind: "advance", ms: 20_000 });
    world.fold();
    const request = {
      filter: everything,
      grouping: "series" as const,
      timeframe: allTime,
      sizing: sizeOf(10_000),
      unitOf,
      partialsPerRead: 1,
    };
    const { pieces } = await exportBuckets(world.store, request, signal);
    const counts: number[] = [];
    for await (const piece of pieces) {
      counts.push(...piece.aggregates.map(({ partial }) => partial.count));
      world.append([at(repeated.timestampMs + counts.length)]);
      world.apply({ kind: "advance", ms: 20_000 });
      world.fold();
      world.repair();
    }
    expect(counts).toEqual([1, 1]);
  });

  it("fails instead of being incomplete if windows expire between its parts", async () => {
    const dayMs = 86_400_000;
    const world = createWorld(0);
    const readings = [20, 10, 1].map(
      (days): DeviceMessage => ({
        deviceId: "a",
        sensor: "temperature",
        timestampMs: beginMs - days * dayMs,
        value: 1,
      }),
    );
    world.append(readings);
    const request = {
      filter: everything,
      grouping: "series" as const,
      timeframe: allTime,
      sizing: sizeOf(dayMs),
      unitOf,
      partialsPerRead: 1,
    };
    const { pieces } = await exportBuckets(world.store, request, signal);
    const parts = pieces[Symbol.asyncIterator]();
    expect((await parts.next()).done).toBe(false);
    const sinceMs = Math.floor(beginMs / dayMs) * dayMs - 2 * dayMs;
    world.expire({ rawMs: sinceMs, levelsMs: [sinceMs, sinceMs, sinceMs] });
    await expect(
      (async () => {
        while (!(await parts.next()).done);
      })(),
    ).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});
