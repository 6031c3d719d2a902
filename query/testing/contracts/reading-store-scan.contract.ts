import type { DeviceMessage } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { allTime } from "../../src/plan/planner.ts";
import { type ReadingColumns, type ReadingScan, scanPieceRowsMax } from "../../src/store/reading-scan.ts";
import {
  collected,
  everything,
  pageOf,
  publishTies,
  type ReadingStoreHarness,
  reading,
  signal,
  withStore,
} from "./reading-store-harness.ts";

/** Seals a horizon after everything that was published, also on stores whose horizon follows the log. */
async function sealed(harness: ReadingStoreHarness): Promise<number> {
  harness.advance(1);
  await harness.publish([]);
  return (await harness.store.sealHorizon(signal())).completeThroughMs;
}

function scanOf(arrivedToMs: number, scan: Partial<ReadingScan> = {}): ReadingScan {
  return { filter: everything, ...allTime, arrivedToMs, ...scan };
}

function messagesOf(pieces: readonly ReadingColumns[]): DeviceMessage[] {
  return pieces.flatMap(({ timestampsMs, deviceIds, sensors, values }) =>
    timestampsMs.map((timestampMs, row) => ({
      deviceId: deviceIds[row] as string,
      sensor: sensors[row] as DeviceMessage["sensor"],
      timestampMs,
      value: values[row] as number,
    })),
  );
}

async function scanAll({ store }: ReadingStoreHarness, scan: ReadingScan): Promise<DeviceMessage[]> {
  const pieces = await collected(store.scanReadings(scan, signal()));
  expect(pieces.every(({ values }) => values.length > 0 && values.length <= scanPieceRowsMax)).toBe(true);
  return messagesOf(pieces);
}

/** Readings of 50 devices, 25 of which share each timestamp, so that ties cross the boundaries of pieces and pages. */
function manyReadings(harness: ReadingStoreHarness, count: number): DeviceMessage[] {
  return Array.from({ length: count }, (_, place) =>
    reading(harness, `device-${(place * 7) % 50}`, Math.floor(place / 25) - count, { value: place % 100 }),
  );
}

/** The part of the suite on long reads. */
export function describeScans(
  open: () => Promise<ReadingStoreHarness>,
  openExpiring?: () => Promise<ReadingStoreHarness>,
): void {
  describe("scanReadings", () => {
    it(
      "returns the same as readReadings, by timestamp, then device_id, then sensor, for any filter and bounds",
      withStore(open, async (harness) => {
        const sorted = await publishTies(harness);
        const arrivedToMs = await sealed(harness);
        expect(await scanAll(harness, scanOf(arrivedToMs))).toEqual(sorted);
        for (const filter of [
          { deviceIds: ["b", "unknown", "B"], sensors: [] },
          { deviceIds: [], sensors: ["pressure"] },
          { deviceIds: ["b"], sensors: ["pressure", "humidity"] },
          { deviceIds: ["unknown"], sensors: [] },
        ]) {
          const bounds = { sinceMs: sorted.at(0)?.timestampMs as number, toMs: harness.nowMs() - 1 };
          expect(await scanAll(harness, scanOf(arrivedToMs, { filter, ...bounds }))).toEqual(
            await harness.store.readReadings({ ...pageOf({ limit: 100 }), filter, ...bounds }, signal()),
          );
        }
      }),
    );

    it(
      "returns exactly the readings that had arrived when the horizon was sealed, also while late readings arrive",
      withStore(open, async (harness) => {
        const readings = manyReadings(harness, 20_060);
        await harness.publish(readings);
        const arrivedToMs = await sealed(harness);
        await harness.publish([reading(harness, "device-1", -1_000_000, { value: 1 })]);
        const found: ReadingColumns[] = [];
        for await (const piece of harness.store.scanReadings(scanOf(arrivedToMs), signal())) {
          found.push(piece);
          await harness.publish([
            reading(harness, "late", -30_000_000 - found.length),
            reading(harness, "late", -found.length),
          ]);
        }
        expect(found.length).toBeGreaterThan(2);
        const wanted = readings.toSorted(
          (a, b) => a.timestampMs - b.timestampMs || (a.deviceId < b.deviceId ? -1 : 1),
        );
        expect(messagesOf(found)).toEqual(wanted);
      }),
    );

    it(
      "occupies no capacity of the store between pieces: other reads are answered while many scans pause",
      withStore(open, async (harness) => {
        await harness.publish(manyReadings(harness, 100));
        const scan = scanOf(await sealed(harness));
        const scans = Array.from({ length: 20 }, () =>
          harness.store.scanReadings(scan, signal())[Symbol.asyncIterator](),
        );
        for (const standing of scans) expect((await standing.next()).done).toBe(false);
        expect(await harness.store.readReadings(pageOf({ limit: 1 }), signal())).toHaveLength(1);
        for (const standing of scans) expect((await standing.next()).done).toBe(true);
      }),
    );

    if (openExpiring) {
      it(
        "is UNAVAILABLE, and not incomplete, if readings expired after the horizon was sealed",
        withStore(openExpiring, async (harness) => {
          await harness.publish([reading(harness, "a", 0)]);
          const scan = scanOf(await sealed(harness));
          for (let days = 0; days < 5; days++) {
            harness.advance(86_400_000);
            await harness.fold();
          }
          await expect(scanAll(harness, scan)).rejects.toMatchObject({ code: "UNAVAILABLE" });
        }),
      );
    }
  });
}
