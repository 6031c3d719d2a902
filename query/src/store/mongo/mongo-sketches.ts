import { createLoopShare } from "@devicemesh/kit/async/event-loop-share";
import { collections, partialsCollection } from "@devicemesh/pipeline";
import type { Level, SensorName } from "@devicemesh/proto";
import type { Binary, Db, Document } from "mongodb";
import { type BucketGrid, bucketStart } from "../../calendar/bucket-grid.ts";
import { addSketchBytes, countOfSketches } from "../../quantiles/sketch-bytes.ts";
import { cutScan, expiredSpans, type SketchGap, widerGap } from "../../quantiles/sketch-gaps.ts";
import { addValues } from "../../quantiles/value-buckets.ts";
import type { ReadingStore, Scan, SeriesFilter } from "../reading-store.ts";
import type { SeriesSketch, SketchesRead } from "../sketch-reads.ts";
import { partialFields, readingFields, scanStages } from "./mongo-conditions.ts";
import { allEnded, type LargeReadOptions } from "./mongo-large-reads.ts";
import { bucketOf, startOf } from "./mongo-partials.ts";

/** The request: the scans of a plan, and when raw readings may have expired. */
export type MongoSketchesRequest = Parameters<ReadingStore["readSketches"]>[0] & {
  readonly db: Db;
  readonly levels: readonly Level[];
  /** Raw readings with an earlier timestamp may have expired. */
  readonly rawKeptSinceMs: number;
};

/** Number of rows in one response of the database. */
const batchSize = 10_000;

/** The values of a series in this time come in one document: at most one a millisecond, so less than 10 MB. */
const valuesPartMs = 600_000;

type SketchedPartial = {
  readonly d: string;
  readonly s: SensorName;
  readonly w: Date;
  readonly g: Date;
  readonly n: number;
  readonly k?: readonly Binary[];
};

type Values = {
  readonly _id: { readonly d: string; readonly s: SensorName; readonly b: number };
  readonly v: readonly number[];
};

/** Returns the pipeline that finds the sketches of a scan over partials. Pure. */
export function sketchesPipeline(scan: Scan, filter: SeriesFilter): Document[] {
  return [
    ...scanStages({ scan, fields: partialFields, filter }),
    {
      $project: {
        _id: 0,
        d: "$device_id",
        s: "$sensor",
        w: "$window_start",
        g: "$segment_start",
        n: "$count",
        k: "$sketches",
      },
    },
  ];
}

/** Returns the pipeline that finds the values of a scan over raw readings, by series and bucket. Pure. */
export function valuesPipeline(
  scan: Scan,
  filter: SeriesFilter,
  buckets: BucketGrid | undefined,
): Document[] {
  return [
    ...scanStages({ scan, fields: readingFields, filter }),
    {
      $group: {
        _id: {
          d: "$device_id",
          s: "$sensor",
          b: bucketOf("$timestamp", buckets),
          part: startOf("$timestamp", valuesPartMs),
        },
        v: { $push: "$value" },
      },
    },
  ];
}

/**
 * Reads the sketches of a plan, with raw readings instead of partials without one. Each scan is a read of its own, and
 * its sketches are added up as they arrive: memory depends on the number of series and buckets, not of windows.
 */
export async function readMongoSketches(
  request: MongoSketchesRequest,
  options: LargeReadOptions,
): Promise<SketchesRead> {
  const { db, plan, filter, buckets, mergeDevices, levels, rawKeptSinceMs } = request;
  const stoodIn: Scan[] = [];
  const share = createLoopShare();

  function read<Row extends Document>(collection: string, pipeline: Document[]): AsyncIterable<Row> {
    return db.collection(collection).aggregate<Row>(pipeline, { ...options, batchSize, allowDiskUse: true });
  }

  async function readRaw(scan: Scan): Promise<readonly SeriesSketch[]> {
    const sums = createSums(mergeDevices);
    for await (const { _id, v } of read<Values>(
      collections.messages,
      valuesPipeline(scan, filter, buckets),
    )) {
      addValues(sums.of(_id.d, _id.s, Number(_id.b)), v.map(Number));
      await share();
    }
    return sums.all();
  }

  async function readLevel(scan: Scan, level: number): Promise<readonly SeriesSketch[]> {
    const { windowMs } = levels[level] as Level;
    const sums = createSums(mergeDevices);
    let gap: SketchGap | undefined;
    for await (const { d, s, w, g, n, k } of read<SketchedPartial>(
      partialsCollection(level, windowMs),
      sketchesPipeline(scan, filter),
    )) {
      const parts = k?.map(bytesOf) ?? [];
      if (countOfSketches(parts) !== Number(n)) gap = widerGap(gap, w.getTime(), g.getTime());
      // Of a scan with a gap, another read begins.
      if (gap) continue;
      const sum = sums.of(d, s, buckets ? bucketStart(buckets, w.getTime()) : 0);
      for (const part of parts) addSketchBytes(sum, part);
      await share();
    }
    if (!gap) return sums.all();
    const cut = cutScan(scan, gap, levels[level] as Level);
    stoodIn.push(cut.raw);
    const rest = await allEnded([readRaw(cut.raw), ...cut.sketched.map((each) => readLevel(each, level))]);
    return rest.flat();
  }

  const found = await allEnded([
    ...plan.raw.map(readRaw),
    ...plan.levels.flatMap((scans, level) => scans.map((scan) => readLevel(scan, level))),
  ]);
  return { sketches: found.flat(), notCovered: expiredSpans(stoodIn, rawKeptSinceMs) };
}

function bytesOf({ buffer, position }: Binary): Uint8Array {
  return buffer.subarray(0, position);
}

/** Adds up sketches by series and bucket; of all devices of a sensor if devices are merged. */
function createSums(mergeDevices: boolean) {
  const sums = new Map<string, SeriesSketch & { readonly sketch: Map<number, number> }>();
  return {
    of(device: string, sensor: SensorName, bucketMs: number): Map<number, number> {
      const deviceId = mergeDevices ? "" : device;
      const key = `${deviceId}\n${sensor}\n${bucketMs}`;
      const known = sums.get(key);
      if (known) return known.sketch;
      const sketch = new Map<number, number>();
      sums.set(key, { deviceId, sensor, bucketMs, sketch });
      return sketch;
    },
    all: (): readonly SeriesSketch[] => [...sums.values()],
  };
}
