import {
  type DuplicateWindowDocument,
  type MessageDocument,
  type PartialFigures,
  windowId,
} from "@devicemesh/pipeline";
import { alignDown, type DeviceMessage, defaultLevels, isoMilliseconds, type Level } from "@devicemesh/proto";
import { type AnyBulkWriteOperation, Binary, type Collection, type Document } from "mongodb";
import type { ReadingPartial } from "../../src/plan/merge.ts";
import { sketchBytes } from "../../src/quantiles/sketch-bytes.ts";
import { addValues } from "../../src/quantiles/value-buckets.ts";
import type { SeriesName } from "../../src/store/reading-store.ts";
import { partialOfStored, type StoredReading } from "../memory-store/memory-scans.ts";

// The documents of the sinks and of the dead-letter reader, for tests.

export function messageDocument(_id: string, reading: StoredReading, offset: number): MessageDocument {
  const { deviceId, sensor, timestampMs, value, arrivedMs } = reading;
  return {
    _id,
    device_id: deviceId,
    sensor,
    timestamp: new Date(timestampMs),
    value,
    arrived: new Date(arrivedMs),
    offset,
  };
}

export function markOf(
  message: DeviceMessage,
  arrivedMs: number,
): AnyBulkWriteOperation<DuplicateWindowDocument> {
  const { deviceId, sensor, timestampMs } = message;
  const windowMs = alignDown(timestampMs, (defaultLevels[0] as Level).windowMs);
  const arrived = new Date(arrivedMs);
  return {
    updateOne: {
      filter: { _id: windowId({ deviceId, sensor, windowMs }) },
      update: {
        $setOnInsert: { device_id: deviceId, sensor, window_start: new Date(windowMs) },
        $min: { first_repeat: arrived },
        $max: { last_repeat: arrived },
      },
      upsert: true,
    },
  };
}

export function figuresOf(partial: ReadingPartial): PartialFigures {
  return {
    count: partial.count,
    sum: partial.sum,
    minimum: partial.minimum,
    minimum_at: new Date(partial.minimumAtMs),
    maximum: partial.maximum,
    maximum_at: new Date(partial.maximumAtMs),
    first_at: new Date(partial.firstAtMs),
    first_value: partial.firstValue,
    last_at: new Date(partial.lastAtMs),
    last_value: partial.lastValue,
    m2: partial.m2,
  };
}

/** Returns the `_id` of the partial of a level that contains this one. */
export function partialId(
  { deviceId, sensor, ...at }: SeriesName & { readonly windowMs: number; readonly segmentMs: number },
  { windowMs, segmentMs }: Level,
): string {
  const window = isoMilliseconds(alignDown(at.windowMs, windowMs));
  return [deviceId, sensor, window, isoMilliseconds(alignDown(at.segmentMs, segmentMs))].join("|");
}

/** Returns the values of readings, by the `_id` of their partial. */
export function valuesOf(readings: readonly StoredReading[], level: Level): Map<string, number[]> {
  const groups = Map.groupBy(readings, (reading) => partialId(partialOfStored(reading), level));
  return new Map([...groups].map(([id, group]) => [id, group.map(({ value }) => value)]));
}

/** Returns the sketches of values, in two parts if there are several values. */
export function sketchesOf(values: readonly number[]): Binary[] {
  const parts = [values.filter((_, place) => place % 3 > 0), values.filter((_, place) => place % 3 === 0)];
  return parts
    .filter((part) => part.length > 0)
    .map((part) => {
      const sketch = new Map<number, number>();
      addValues(sketch, part);
      return new Binary(sketchBytes(sketch));
    });
}

export async function insertAll<Each extends Document>(
  collection: Collection<Each>,
  documents: readonly Each[],
) {
  if (documents.length === 0) return;
  await collection.insertMany(documents as unknown as Parameters<typeof collection.insertMany>[0]);
}
