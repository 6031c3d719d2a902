import type { DeviceMessage } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { type BucketGrid, bucketStart } from "../../src/calendar/bucket-grid.ts";
import { allTime, planRead } from "../../src/plan/planner.ts";
import { valueBucket } from "../../src/quantiles/value-buckets.ts";
import { firstSketchedLevel } from "../../src/store/sketch-reads.ts";
import type { StoreHorizon } from "../../src/store/store-status.ts";
import {
  bucketGridsAround,
  dayMs,
  everything,
  type ReadingStoreHarness,
  reading,
  signal,
  withStore,
} from "./reading-store-harness.ts";

/** The part of the suite on sketches, for a store that has some. */
export function describeSketches(open: () => Promise<ReadingStoreHarness>): void {
  describe("readSketches", () => {
    it(
      "counts the value bucket of every reading once, whatever is folded, with and without buckets",
      withStore(open, async (harness) => {
        const sent: DeviceMessage[] = [];
        for (const [round, advanceMs] of [1, 10_000, 600_000, dayMs, 10_000, 2 * dayMs, 1].entries()) {
          const batch = [-3 * dayMs, -dayMs, -600_000, -10_001, -1, 0, 3_600_000].flatMap((offset) =>
            ["a", "b"].map((deviceId) =>
              reading(harness, deviceId, offset + round, { value: (round - 2) * 1.7 + (offset % 3) / 100 }),
            ),
          );
          // Duplicates count once.
          await harness.publish([...batch, ...sent.slice(-3)]);
          sent.push(...batch);
          harness.advance(advanceMs);
          await harness.fold();
          for (const buckets of bucketGridsAround(harness.nowMs())) {
            for (const mergeDevices of [false, true]) {
              const counts = await sketchCounts(harness, { buckets, mergeDevices });
              expect(counts).toEqual(wantedCounts(sent, buckets, mergeDevices));
            }
          }
        }
      }),
    );
  });
}

/** Reads the counts of all sketches, by series, bucket and value bucket. */
async function sketchCounts(
  { store }: ReadingStoreHarness,
  { buckets, mergeDevices }: { readonly buckets: BucketGrid | undefined; readonly mergeDevices: boolean },
): Promise<Map<string, number>> {
  const horizon = await store.readHorizon(signal());
  const sliced: StoreHorizon = {
    ...horizon,
    frontiersMs: horizon.frontiersMs.slice(firstSketchedLevel),
    levelsKeptSinceMs: horizon.levelsKeptSinceMs.slice(firstSketchedLevel),
  };
  const levels = store.levels.slice(firstSketchedLevel);
  const { plan } = planRead({ ...allTime, levels, horizon: sliced, buckets });
  const request = {
    plan: { ...plan, levels: [[], ...plan.levels] },
    filter: everything,
    buckets,
    mergeDevices,
  };
  const read = await store.readSketches(request, signal());
  expect(read.notCovered).toEqual([]);
  const counts = new Map<string, number>();
  for (const { deviceId, sensor, bucketMs, sketch } of read.sketches) {
    for (const [bucket, count] of sketch) {
      const key = `${deviceId}|${sensor}|${bucketMs}|${bucket}`;
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
  }
  return counts;
}

function wantedCounts(
  sent: readonly DeviceMessage[],
  buckets: BucketGrid | undefined,
  mergeDevices: boolean,
): Map<string, number> {
  const counts = new Map<string, number>();
  // The first one of an identity counts.
  const identities = new Map(sent.toReversed().map((each) => [`${each.deviceId}|${each.timestampMs}`, each]));
  for (const { deviceId, sensor, timestampMs, value } of identities.values()) {
    const bucketMs = buckets ? bucketStart(buckets, timestampMs) : 0;
    const key = `${mergeDevices ? "" : deviceId}|${sensor}|${bucketMs}|${valueBucket(value)}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
