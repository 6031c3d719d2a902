import type { DeviceMessage } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import type { SeriesFilter } from "../../src/store/reading-store.ts";
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
      "goes on after any place, both ways, with any limit",
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
      "goes on after a place where there is no reading",
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
      "takes since with and to without its own millisecond",
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
      "filters by devices and sensors, and gives nothing for unknown names",
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
      "lists by device_id, then sensor, goes on after any place, and counts all",
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
      "filters, and gives nothing for unknown names",
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
