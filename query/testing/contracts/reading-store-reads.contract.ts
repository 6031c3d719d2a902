import type { DeviceMessage } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { findLatestSeries } from "../../src/answer/latest-series.ts";
import type { SeriesFilter } from "../../src/store/reading-store.ts";
import type { LatestSeriesRequest } from "../../src/store/series-request.ts";
import {
  compare,
  everything,
  nameOf,
  pageOf,
  publishTies,
  type ReadingStoreHarness,
  reading,
  same,
  signal,
  withStore,
} from "./reading-store-harness.ts";

/** The part of the suite on raw readings and series. */
export function describeReads(open: () => Promise<ReadingStoreHarness>): void {
  describe("readReadings", () => {
    it(
      "orders by timestamp, then device_id, then sensor, by code units, both ways",
      withStore(open, async (harness) => {
        const sorted = await publishTies(harness);
        expect(await harness.store.readReadings(pageOf({ limit: 100 }), signal())).toEqual(sorted);
        const descending = await harness.store.readReadings(
          pageOf({ limit: 100, descending: true }),
          signal(),
        );
        expect(descending).toEqual([...sorted].reverse());
      }),
    );

    it(
      "continues after any place, both ways, with any limit",
      withStore(open, async (harness) => {
        const sorted = await publishTies(harness);
        for (const descending of [false, true]) {
          const wanted = descending ? [...sorted].reverse() : sorted;
          for (const [place, after] of wanted.entries()) {
            for (const limit of [1, 3, 100]) {
              const found = await harness.store.readReadings(pageOf({ limit, descending, after }), signal());
              expect(found).toEqual(wanted.slice(place + 1, place + 1 + limit));
            }
          }
        }
      }),
    );

    it(
      "continues after a place where there is no reading",
      withStore(open, async (harness) => {
        const sorted = await publishTies(harness);
        const after = { deviceId: "b!", sensor: "pressure" as const, timestampMs: harness.nowMs() - 1000 };
        const isAfter = (message: DeviceMessage): boolean =>
          message.timestampMs > after.timestampMs ||
          (message.timestampMs === after.timestampMs && message.deviceId > after.deviceId);
        expect(await harness.store.readReadings(pageOf({ limit: 100, after }), signal())).toEqual(
          sorted.filter(isAfter),
        );
        expect(
          await harness.store.readReadings(pageOf({ limit: 100, after, descending: true }), signal()),
        ).toEqual(sorted.filter((message) => !isAfter(message)).reverse());
      }),
    );

    it(
      "includes the millisecond of since and excludes that of to",
      withStore(open, async (harness) => {
        const [early, middle, late] = [-2000, -1000, 0].map((offset) => reading(harness, "a", offset)) as [
          DeviceMessage,
          DeviceMessage,
          DeviceMessage,
        ];
        await harness.publish([late, early, middle]);
        const between = { sinceMs: middle.timestampMs, toMs: late.timestampMs };
        expect(await harness.store.readReadings({ ...pageOf({ limit: 9 }), ...between }, signal())).toEqual([
          middle,
        ]);
        const nothing = { sinceMs: middle.timestampMs + 1, toMs: late.timestampMs };
        expect(await harness.store.readReadings({ ...pageOf({ limit: 9 }), ...nothing }, signal())).toEqual(
          [],
        );
      }),
    );

    it(
      "filters by devices and sensors, and returns nothing for unknown names",
      withStore(open, async (harness) => {
        const sorted = await publishTies(harness);
        const find = (filter: SeriesFilter) =>
          harness.store.readReadings({ ...pageOf({ limit: 100 }), filter }, signal());
        expect(await find({ deviceIds: ["b", "unknown", "B"], sensors: [] })).toEqual(
          sorted.filter(({ deviceId }) => deviceId === "b" || deviceId === "B"),
        );
        expect(await find({ deviceIds: ["b"], sensors: ["pressure"] })).toEqual(
          sorted.filter(({ deviceId, sensor }) => deviceId === "b" && sensor === "pressure"),
        );
        expect(await find({ deviceIds: ["unknown"], sensors: [] })).toEqual([]);
        expect(await find({ deviceIds: ["' OR 1=1 --", "%", "_"], sensors: ["' --"] })).toEqual([]);
      }),
    );

    it(
      "keeps the first of two readings with one identity",
      withStore(open, async (harness) => {
        const first = reading(harness, "a", 0, { value: 1 });
        await harness.publish([first, { ...first, value: 2 }]);
        await harness.publish([{ ...first, value: 3 }, first]);
        expect(await harness.store.readReadings(pageOf({ limit: 9 }), signal())).toEqual([first]);
      }),
    );
  });

  describe("readSeries", () => {
    it(
      "lists by device_id, then sensor, continues after any place, and counts all",
      withStore(open, async (harness) => {
        const series = [...(await publishTies(harness))]
          .map(({ deviceId, sensor }) => ({ deviceId, sensor }))
          .filter((one, place, all) => all.findIndex((other) => same(one, other)) === place)
          .sort((a, b) => compare(a.deviceId, b.deviceId) || compare(a.sensor, b.sensor));
        const total = series.length;
        const all = await harness.store.readSeries({ filter: everything, limit: 100 }, signal());
        expect({ ...all, series: all.series.map(nameOf) }).toEqual({ series, total });
        for (const [place, after] of series.entries()) {
          const found = await harness.store.readSeries({ filter: everything, after, limit: 2 }, signal());
          expect({ ...found, series: found.series.map(nameOf) }).toEqual({
            series: series.slice(place + 1, place + 3),
            total,
          });
        }
        const between = { deviceId: "b!", sensor: "" };
        const rest = await harness.store.readSeries(
          { filter: everything, after: between, limit: 100 },
          signal(),
        );
        expect(rest.series.map(nameOf)).toEqual(series.filter(({ deviceId }) => deviceId > "b!"));
      }),
    );

    it(
      "searches device ids for text, beginnings and patterns, in any case, with any characters, page by page",
      withStore(open, async (harness) => {
        const ids = ["a", "ab", "ab.c", "abxc", "b-1", "b-10", "B-1", "Ba", "c:a.b", "z9_", "_b"];
        await harness.publish(ids.map((deviceId) => reading(harness, deviceId, 0)));
        harness.advance(10_000);
        await harness.fold();
        await harness.publish([reading(harness, "ab-new", 0)]);
        const all = [...ids, "ab-new"].sort(compare);
        const searches = [
          [{ kind: "contains", text: "b" }, /b/i],
          [{ kind: "contains", text: "b.c" }, /b\.c/i],
          [{ kind: "contains", text: "" }, /^/i],
          [{ kind: "contains", text: "(b|a)[" }, /^$/i],
          [{ kind: "prefix", text: "ab" }, /^ab/i],
          [{ kind: "prefix", text: "b-1" }, /^b-1/i],
          [{ kind: "glob", text: "ab?c" }, /^ab.c$/i],
          [{ kind: "glob", text: "*-1" }, /-1$/i],
          [{ kind: "glob", text: "a**b*" }, /^a.*b/i],
          [{ kind: "glob", text: "b-1" }, /^b-1$/i],
          [{ kind: "glob", text: "c:a.b" }, /^c:a\.b$/i],
          [{ kind: "glob", text: "*" }, /^/i],
          [{ kind: "contains", text: "B-" }, /b-/i],
          [{ kind: "prefix", text: "AB" }, /^ab/i],
          [{ kind: "prefix", text: "b" }, /^b/i],
          [{ kind: "glob", text: "?-1*" }, /^.-1/i],
          [{ kind: "glob", text: "B*" }, /^b/i],
        ] as const;
        for (const [search, pattern] of searches) {
          const wanted = all.filter((deviceId) => pattern.test(deviceId));
          const filter = everything;
          const found = await harness.store.readSeries({ filter, search, limit: 100 }, signal());
          expect([search, found.series.map(({ deviceId }) => deviceId)]).toEqual([search, wanted]);
          expect(found.total).toBe(wanted.length);
          const [first] = found.series;
          if (!first) continue;
          const rest = await harness.store.readSeries({ filter, search, after: first, limit: 2 }, signal());
          expect(rest.series.map(({ deviceId }) => deviceId)).toEqual(wanted.slice(1, 3));
          expect(rest.total).toBe(wanted.length);
        }
        const named = { deviceIds: ["ab", "b-1"], sensors: [] };
        const both = await harness.store.readSeries(
          { filter: named, search: { kind: "prefix", text: "A" }, limit: 9 },
          signal(),
        );
        expect(both.series.map(({ deviceId }) => deviceId)).toEqual(["ab"]);
      }),
    );

    it(
      "orders by latest readings and selects by them, page by page",
      withStore(open, async (harness) => {
        const offsets = { a: -5000, b: -1000, c: -5000, d: -9000, e: 2000 };
        await harness.publish(
          Object.entries(offsets).flatMap(([deviceId, offset]) => [
            reading(harness, deviceId, offset),
            reading(harness, deviceId, offset - 60_000),
          ]),
        );
        harness.advance(10_000);
        await harness.fold();
        const nowMs = harness.nowMs() - 10_000;
        const list = async (order: LatestSeriesRequest["order"], latest: LatestSeriesRequest["latest"]) => {
          const found: string[] = [];
          let after: LatestSeriesRequest["after"];
          for (;;) {
            const page = await findLatestSeries(
              harness.store,
              { filter: everything, order, latest, after, limit: 2 },
              signal(),
            );
            found.push(...page.series.map(({ deviceId, latestMs }) => `${deviceId} ${latestMs - nowMs}`));
            after = page.series.at(-1);
            if (after === undefined) return { found, total: page.total };
          }
        };
        const any = { sinceMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
        const byName = ["a -5000", "b -1000", "c -5000", "d -9000", "e 2000"];
        expect(await list("name", any)).toEqual({ found: byName, total: 5 });
        expect(await list("latestFirst", any)).toEqual({
          found: ["e 2000", "b -1000", "a -5000", "c -5000", "d -9000"],
          total: 5,
        });
        expect(await list("silentLongest", { ...any, toMs: nowMs - 4000 })).toEqual({
          found: ["d -9000", "a -5000", "c -5000"],
          total: 3,
        });
        expect(await list("name", { ...any, sinceMs: nowMs - 5000 })).toEqual({
          found: ["a -5000", "b -1000", "c -5000", "e 2000"],
          total: 4,
        });
      }),
    );

    it(
      "filters, and returns nothing for unknown names",
      withStore(open, async (harness) => {
        await publishTies(harness);
        const find = (filter: SeriesFilter) => harness.store.readSeries({ filter, limit: 100 }, signal());
        expect((await find({ deviceIds: ["b"], sensors: ["pressure"] })).series.map(nameOf)).toEqual([
          { deviceId: "b", sensor: "pressure" },
        ]);
        expect(await find({ deviceIds: ["unknown"], sensors: [] })).toEqual({ series: [], total: 0 });
      }),
    );
  });
}
