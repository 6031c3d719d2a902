import type { SeriesPartial } from "@devicemesh/query";
import { mergePartials, type ReadingPartial } from "@devicemesh/query/plan/merge";

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

/** A partial as query reads it. */
export function asSeries(figures: ReadingPartial, deviceId: string): SeriesPartial {
  return { ...figures, deviceId, sensor, bucketMs: 0, fromRaw: 0 };
}

/** The key of a partial. */
export function partialKey(windowMs: number, segmentMs: number): string {
  return `${windowMs}|${segmentMs}`;
}
