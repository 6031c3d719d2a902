import { type DeviceMessage, sensorByName } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { createGroupMerge } from "../../src/plan/merge.ts";
import { allTime } from "../../src/plan/planner.ts";
import type { SeriesFilter } from "../../src/store/reading-store.ts";
import {
  bucketGridsAround,
  countAll,
  countCovered,
  countsOf,
  dayMs,
  everything,
  expectValidHorizon,
  expiringRetention,
  nameOf,
  type ReadingStoreHarness,
  readAll,
  reading,
  signal,
  withStore,
} from "./reading-store-harness.ts";

/** The part of the suite on partials, and on expiry if the adapter can expire. */
export function describePartials(
  open: () => Promise<ReadingStoreHarness>,
  openExpiring?: () => Promise<ReadingStoreHarness>,
): void {
  describe("readPartials", () => {
    it(
      "counts every reading once, whatever is folded, with and without buckets",
      withStore(open, async (harness) => {
        const sent: DeviceMessage[] = [];
        for (const [round, advanceMs] of [
          1,
          10_000,
          600_000,
          dayMs,
          10_000,
          2 * dayMs,
          600_000,
          1,
        ].entries()) {
          const batch = [-3 * dayMs, -dayMs, -600_000, -10_001, -1, 0, 3_600_000].flatMap((offset) =>
            ["a", "b"].map((deviceId) => reading(harness, deviceId, offset + round, { value: round })),
          );
          await harness.publish(batch);
          sent.push(...batch);
          harness.advance(advanceMs);
          await harness.fold();
          for (const buckets of bucketGridsAround(harness.nowMs())) {
            expect(await countAll(harness, { buckets })).toEqual(countsOf(sent, buckets));
          }
        }
      }),
    );

    it(
      "is also exact for a plan that was made before the fold",
      withStore(open, async (harness) => {
        const sent: DeviceMessage[] = [];
        for (const advanceMs of [10_000, 600_000, 10_000, dayMs, 600_000]) {
          const batch = ["a", "b"].map((deviceId) => reading(harness, deviceId, -sent.length));
          await harness.publish(batch);
          sent.push(...batch);
          harness.advance(11_000);
          const horizon = await harness.store.readHorizon(signal());
          harness.advance(advanceMs);
          await harness.fold();
          expect(await countAll(harness, { horizon })).toEqual(countsOf(sent, undefined));
        }
      }),
    );

    it(
      "returns each aggregate of one series, from any level and from raw readings",
      withStore(open, async (harness) => {
        const values = [1013.26, 1013.24, 1013.25, 1013.24];
        const batch = values.map((value, place) =>
          reading(harness, "a", place * 1000, { sensor: "pressure", value }),
        );
        await harness.publish(batch);
        const nowMs = harness.nowMs();
        for (const advanceMs of [0, 25_000, 700_000, 2 * dayMs]) {
          harness.advance(advanceMs);
          await harness.fold();
          const { partials } = await readAll(harness, {});
          expect(partials.reduce((sum, { count }) => sum + count, 0)).toBe(4);
          const first = partials.reduce((a, b) => (b.firstAtMs < a.firstAtMs ? b : a));
          const last = partials.reduce((a, b) => (b.lastAtMs > a.lastAtMs ? b : a));
          expect([first.firstAtMs, first.firstValue]).toEqual([nowMs, 1013.26]);
          expect([last.lastAtMs, last.lastValue]).toEqual([nowMs + 3000, 1013.24]);
          expect(Math.min(...partials.map(({ minimum }) => minimum))).toBe(1013.24);
          const lowest = partials.filter(({ minimum }) => minimum === 1013.24);
          expect(Math.min(...lowest.map(({ minimumAtMs }) => minimumAtMs))).toBe(nowMs + 1000);
          expect(partials.reduce((sum, partial) => sum + partial.sum, 0)).toBeCloseTo(4052.99, 9);
          if (partials.length === 1) expect(first.m2).toBeCloseTo(0.000275, 12);
        }
      }),
    );

    it(
      "keeps the average of equal values at that value and their deviation at 0, from any level and from raw readings",
      withStore(open, async (harness) => {
        // Multiples of these are rounded, so that sum / count is not the value.
        const values = { a: 0.1, b: 21.51, c: -19.07 };
        const batch = Object.entries(values).flatMap(([deviceId, value]) =>
          Array.from({ length: 23 }, (_, place) => reading(harness, deviceId, -place * 3_700, { value })),
        );
        await harness.publish(batch.slice(0, 40));
        for (const advanceMs of [0, 25_000, 700_000, 2 * dayMs]) {
          harness.advance(advanceMs);
          await harness.fold();
          if (advanceMs === 700_000) await harness.publish(batch.slice(40));
          const { partials } = await readAll(harness, {});
          const merge = createGroupMerge("series", (sensor) => sensorByName(sensor)?.unit ?? "");
          merge.add(partials);
          for (const { deviceId, average, standardDeviation } of merge.aggregates()) {
            expect([average, standardDeviation]).toEqual([values[deviceId as keyof typeof values], 0]);
          }
        }
      }),
    );

    it(
      "reports how many readings came from raw ones",
      withStore(open, async (harness) => {
        await harness.publish([reading(harness, "a", -20_000), reading(harness, "b", -20_000)]);
        const rawOf = async () =>
          (await readAll(harness, {})).partials.reduce((sum, { fromRaw }) => sum + fromRaw, 0);
        expect(await rawOf()).toBe(2);
        harness.advance(25_000);
        await harness.fold();
        expect(await rawOf()).toBe(0);
      }),
    );

    it(
      "filters, and returns nothing for unknown names and for an empty plan",
      withStore(open, async (harness) => {
        await harness.publish(["a", "b"].map((deviceId) => reading(harness, deviceId, 0)));
        const find = async (filter: SeriesFilter) => (await readAll(harness, { filter })).partials;
        expect((await find({ deviceIds: ["b"], sensors: [] })).map(nameOf)).toEqual([
          { deviceId: "b", sensor: "temperature" },
        ]);
        expect(await find({ deviceIds: ["b"], sensors: ["humidity"] })).toEqual([]);
        expect(await find({ deviceIds: ["unknown"], sensors: [] })).toEqual([]);
        const plan = { levels: harness.store.levels.map(() => []), raw: [] };
        const { partials } = await harness.store.readPartials({ plan, filter: everything }, signal());
        expect(partials).toEqual([]);
      }),
    );

    it(
      "includes all readings that were published before complete_through",
      withStore(open, async (harness) => {
        harness.advance(1);
        const publishedMs = harness.nowMs();
        await harness.publish([reading(harness, "a", 0)]);
        harness.advance(1);
        await harness.publish([reading(harness, "a", 0)]);
        const { completeThroughMs } = await readAll(harness, {});
        expect(completeThroughMs).toBeGreaterThan(publishedMs);
      }),
    );
  });

  if (!openExpiring) return;
  describe("expiry", () => {
    it(
      "leaves out what has expired and reports it; everything else is exact, for older horizons too",
      withStore(openExpiring, async (harness) => {
        const sent: DeviceMessage[] = [];
        let leftOut = false;
        for (let round = 0; round < 30; round++) {
          // As late as ingest allows: raw readings are kept for longer than that.
          const offsets = [-expiringRetention.rawMs + 3_600_000, -dayMs, -3_600_000, -60_000, 0];
          const batch = offsets.map((offset) => reading(harness, "a", offset + round));
          await harness.publish(batch);
          sent.push(...batch);
          const horizon = await harness.store.readHorizon(signal());
          // Never whole days: marks pass a reading before the segment that contains it is folded.
          harness.advance(round % 3 === 0 ? 700_000 : 7 * 3_600_000);
          await harness.fold();
          const now = await harness.store.readHorizon(signal());
          expectValidHorizon(harness.store.levels, now);
          // No buckets in every round, and one kind of buckets after the other.
          const grids = bucketGridsAround(harness.nowMs());
          for (const buckets of grids.filter((_, place) => place === 0 || place === round % grids.length)) {
            for (const [sinceMs, toMs] of [
              [allTime.sinceMs, allTime.toMs],
              [harness.nowMs() - 5 * dayMs - 1234, harness.nowMs() + 7],
            ] as const) {
              for (const used of [now, horizon]) {
                const { counts, notCovered } = await countCovered(harness, {
                  horizon: used,
                  buckets,
                  sinceMs,
                  toMs,
                });
                const isCovered = ({ timestampMs: ms }: DeviceMessage): boolean =>
                  ms >= sinceMs &&
                  ms < toMs &&
                  !notCovered.some((span) => ms >= span.sinceMs && ms < span.toMs);
                expect(counts).toEqual(countsOf(sent.filter(isCovered), buckets));
                leftOut ||= notCovered.length > 0;
              }
            }
          }
        }
        expect(leftOut).toBe(true);
        const { storedReadings } = await harness.store.readStatus(signal());
        expect(storedReadings).toBeLessThan(sent.length);
      }),
    );
  });
}
