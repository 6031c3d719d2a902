import { alignDown, type Level } from "@devicemesh/proto";
import { bucketStart } from "../../src/calendar/bucket-grid.ts";
import { valueBucket } from "../../src/quantiles/value-buckets.ts";
import type { ReadingStore } from "../../src/store/reading-store.ts";
import type { SeriesSketch, SketchesRead } from "../../src/store/sketch-reads.ts";
import { matcher, partialOfStored, type StoredReading, scanned } from "./memory-scans.ts";

/**
 * Returns the sketches of a plan. Those of windows are made from `everStored`, which retention does not delete, as if
 * they had been made when the windows were folded.
 */
export function memorySketches(
  { plan, filter, buckets, mergeDevices }: Parameters<ReadingStore["readSketches"]>[0],
  stored: {
    readonly levels: readonly Level[];
    readonly everStored: readonly StoredReading[];
    readonly readings: readonly StoredReading[];
  },
): SketchesRead {
  const found = scanned(plan, {
    levels: stored.levels.map(({ windowMs, segmentMs }) =>
      stored.everStored.map(partialOfStored).map((partial) => ({
        ...partial,
        windowMs: alignDown(partial.windowMs, windowMs),
        segmentMs: alignDown(partial.segmentMs, segmentMs),
      })),
    ),
    raw: stored.readings.map(partialOfStored),
  });
  const sketches = new Map<string, SeriesSketch & { readonly sketch: Map<number, number> }>();
  for (const { sensor, windowMs, sum, ...partial } of found.filter(matcher(filter))) {
    const deviceId = mergeDevices ? "" : partial.deviceId;
    const bucketMs = buckets ? bucketStart(buckets, windowMs) : 0;
    const key = `${deviceId}|${sensor}|${bucketMs}`;
    const of = sketches.get(key) ?? { deviceId, sensor, bucketMs, sketch: new Map<number, number>() };
    of.sketch.set(valueBucket(sum), (of.sketch.get(valueBucket(sum)) ?? 0) + 1);
    sketches.set(key, of);
  }
  return { sketches: [...sketches.values()], notCovered: [] };
}
