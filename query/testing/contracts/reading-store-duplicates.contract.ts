import { describe, expect, it } from "vitest";
import { latestConflictsMax } from "../../src/store/latest-conflicts.ts";
import {
  everything,
  nameOf,
  type ReadingStoreHarness,
  reading,
  signal,
  withStore,
} from "./reading-store-harness.ts";

/** The part of the suite on duplicates and conflicts by series. */
export function describeDuplicates(open: () => Promise<ReadingStoreHarness>): void {
  describe("readDuplicates", () => {
    it(
      "counts those of each series, whether they arrive at once or later, and leaves out series without any",
      withStore(open, async (harness) => {
        const [a, b] = [reading(harness, "a", 0, { value: 1 }), reading(harness, "b", 0)];
        await harness.publish([a, a, { ...a, value: 2 }, b, reading(harness, "c", 0)]);
        harness.advance(25_000);
        await harness.fold();
        await harness.publish([a, b, b]);
        const found = await harness.store.readDuplicates({ filter: everything, limit: 10 }, signal());
        expect(found).toMatchObject([
          { deviceId: "a", sensor: "temperature", duplicates: 2, conflicts: 1 },
          { deviceId: "b", sensor: "temperature", duplicates: 2, conflicts: 0, latestConflicts: [] },
        ]);
        expect(found.length).toBe(2);
        const { duplicates, conflicts } = await harness.store.readStatus(signal());
        expect([duplicates, conflicts]).toEqual([4, 1]);
      }),
    );

    it(
      "keeps the latest conflicts with both values and their arrival, the newest first",
      withStore(open, async (harness) => {
        const readings = Array.from({ length: latestConflictsMax + 2 }, (_, place) =>
          reading(harness, "a", place, { value: 10 }),
        );
        await harness.publish(readings);
        const arrived: number[] = [];
        for (const [place, one] of readings.entries()) {
          harness.advance(1000);
          arrived.push(harness.nowMs());
          await harness.publish([{ ...one, value: 20 + place }]);
        }
        const [found] = await harness.store.readDuplicates({ filter: everything, limit: 10 }, signal());
        expect(found).toMatchObject({ duplicates: 0, conflicts: readings.length });
        expect(found?.latestConflicts).toEqual(
          readings
            .map(({ timestampMs }, place) => ({
              timestampMs,
              storedValue: 10,
              refusedValue: 20 + place,
              arrivedMs: arrived[place],
            }))
            .reverse()
            .slice(0, latestConflictsMax),
        );
      }),
    );

    it(
      "filters, and pages in the order of device_id and sensor",
      withStore(open, async (harness) => {
        const sent = ["b", "a-1", "a", "B"].flatMap((deviceId) =>
          (["temperature", "humidity"] as const).map((sensor) => reading(harness, deviceId, 0, { sensor })),
        );
        await harness.publish([...sent, ...sent]);
        const { store } = harness;
        const all = await store.readDuplicates({ filter: everything, limit: 100 }, signal());
        expect(all.map(({ deviceId, sensor }) => `${deviceId} ${sensor}`)).toEqual(
          ["B", "a", "a-1", "b"].flatMap((deviceId) => [`${deviceId} humidity`, `${deviceId} temperature`]),
        );
        for (const [place, one] of all.entries()) {
          const after = nameOf(one);
          const page = await store.readDuplicates({ filter: everything, after, limit: 3 }, signal());
          expect(page).toEqual(all.slice(place + 1, place + 4));
        }
        const find = async (deviceIds: string[], sensors: string[]) =>
          (await store.readDuplicates({ filter: { deviceIds, sensors }, limit: 9 }, signal())).map(nameOf);
        expect(await find(["a", "none"], ["humidity"])).toEqual([{ deviceId: "a", sensor: "humidity" }]);
        expect(await find(["none"], [])).toEqual([]);
      }),
    );
  });
}
