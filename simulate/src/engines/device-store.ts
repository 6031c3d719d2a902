import type { ReadingPartial } from "@devicemesh/query/plan/merge";
import type { SamplePartial } from "./partials.ts";
import type { SampleRecord } from "./sample-records.ts";

/** A window of a device with duplicates, or whose partials lack a message. */
export type MarkedWindow = {
  readonly windowMs: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** The figures are undefined if the window has no reading. */
  readonly repair?: { readonly throughMs: number; readonly figures: ReadingPartial | undefined } | undefined;
};

/** What the database holds of one sampled device. */
export type DeviceStore = {
  readonly deviceId: string;
  /** The stored readings, by timestamp: the first of each identity. */
  readonly readings: Map<number, SampleRecord>;
  /** Partials of each level, the finest first, by window and segment. */
  readonly levels: readonly Map<string, SamplePartial>[];
  readonly marked: Map<number, MarkedWindow>;
};

/** Creates an empty one. */
export function createDeviceStore(deviceId: string, levels: number): DeviceStore {
  return {
    deviceId,
    readings: new Map(),
    levels: Array.from({ length: levels }, () => new Map()),
    marked: new Map(),
  };
}

/** Marks a window from `firstMs` to `lastMs` of arrival. */
export function mark(
  store: DeviceStore,
  windowMs: number,
  { firstMs, lastMs }: { firstMs: number; lastMs: number },
): void {
  const known = store.marked.get(windowMs);
  store.marked.set(windowMs, {
    ...known,
    windowMs,
    firstMs: Math.min(known?.firstMs ?? firstMs, firstMs),
    lastMs: Math.max(known?.lastMs ?? lastMs, lastMs),
  });
}
