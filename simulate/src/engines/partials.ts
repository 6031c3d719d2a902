import type { SeriesPartial } from "@devicemesh/query";
import { mergePartials, partialOfReading, type ReadingPartial } from "@devicemesh/query/plan/merge";

/** A partial of a sampled device. */
export type SamplePartial = ReadingPartial & {
  readonly deviceId: string;
  readonly windowMs: number;
  readonly segmentMs: number;
};

/** The one sensor of each device. */
export const sensor = "temperature";

/** Adds figures to those of the same series, window and segment, if there are any. */
export function addedTo(
  known: ReadingPartial | undefined,
  added: ReadingPartial,
  deviceId: string,
): ReadingPartial {
  return known === undefined ? added : mergePartials([asSeries(known, deviceId), asSeries(added, deviceId)]);
}

/** The figures of one reading. */
export const figuresOf: (reading: {
  readonly timestampMs: number;
  readonly value: number;
}) => ReadingPartial = partialOfReading;

/** A partial as query reads it. */
export function asSeries(figures: ReadingPartial, deviceId: string, fromRaw = 0): SeriesPartial {
  return { ...figures, deviceId, sensor, bucketMs: 0, fromRaw };
}

/** The key of a partial. */
export function partialKey(windowMs: number, segmentMs: number): string {
  return `${windowMs}|${segmentMs}`;
}
