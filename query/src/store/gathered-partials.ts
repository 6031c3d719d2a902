import { createPartialSum, type PartialSum } from "../plan/merge.ts";
import type { SeriesPartial } from "./reading-store.ts";

/** Partials of several scans, merged as they arrive: memory depends on the number of groups, not of rows. */
export type GatheredPartials = {
  add(partial: SeriesPartial): void;
  /** Number of groups. */
  readonly size: number;
  /** Whether there are more groups than requested. */
  readonly isTooMany: boolean;
  /** Returns one partial for each group. */
  partials(): SeriesPartial[];
};

/** Gathers by series and bucket; with `mergeDevices` by sensor and bucket, like ReadingStore.readPartials. */
export function createGatheredPartials({
  mergeDevices = false,
  partialsMax = Number.POSITIVE_INFINITY,
}: {
  readonly mergeDevices?: boolean | undefined;
  readonly partialsMax?: number | undefined;
}): GatheredPartials {
  const groups = new Map<string, { readonly start: SeriesPartial; readonly sum: PartialSum }>();
  return {
    add(partial) {
      const { deviceId, sensor, bucketMs } = partial;
      const key = mergeDevices ? `${sensor}\n${bucketMs}` : `${deviceId}\n${sensor}\n${bucketMs}`;
      const group = groups.get(key);
      if (group) group.sum.add(partial);
      else groups.set(key, { start: partial, sum: createPartialSum(partial) });
    },
    get size() {
      return groups.size;
    },
    get isTooMany() {
      return groups.size > partialsMax;
    },
    partials: () =>
      [...groups.values()].map(({ start: { deviceId, sensor, bucketMs }, sum }) => ({
        ...sum.total(),
        deviceId: mergeDevices ? "" : deviceId,
        sensor,
        bucketMs,
        fromRaw: sum.fromRaw(),
        ...(mergeDevices && { firstDeviceId: sum.first().deviceId, lastDeviceId: sum.last().deviceId }),
      })),
  };
}
