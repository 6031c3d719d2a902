import { type DeviceMessage, type Level, type SensorName, sensors } from "@devicemesh/proto";
import { expect } from "vitest";
import { readDuplicateWindows } from "../../src/answer/read-timeframe.ts";
import { type BucketGrid, bucketStart, fixedGrid } from "../../src/calendar/bucket-grid.ts";
import { calendarGrid } from "../../src/calendar/calendar-grid.ts";
import { allTime, planRead } from "../../src/plan/planner.ts";
import type { ReadingStore, SeriesFilter } from "../../src/store/reading-store.ts";
import type { StoreHorizon } from "../../src/store/store-status.ts";

/** A store under test, empty at first. */
export type ReadingStoreHarness = {
  readonly store: ReadingStore;
  /** Appends through the log that fills the store; resolves when they are stored. */
  publish(readings: readonly DeviceMessage[]): Promise<unknown>;
  /** Folds closed segments and, if it was opened to expire, deletes expired data. */
  fold(): Promise<void>;
  /** Moves the log's clock forwards. */
  advance(ms: number): void;
  /** The log's clock, ms since 1970. */
  nowMs(): number;
  /** Closes the store. */
  close(): Promise<void>;
};

/** The retention of a store that expires in these tests, in ms; the coarsest of three levels is kept forever. */
export const expiringRetention = {
  rawMs: 2 * 86_400_000,
  levelsMs: [2 * 86_400_000, 2 * 86_400_000, undefined],
} as const;

/** The filter that all series match. */
export const everything: SeriesFilter = { deviceIds: [], sensors: [] };
/** A day in ms. */
export const dayMs = 86_400_000;

/** Runs a test with a separate store, which it closes. */
export function withStore(
  open: () => Promise<ReadingStoreHarness>,
  act: (harness: ReadingStoreHarness) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const harness = await open();
    try {
      await act(harness);
    } finally {
      await harness.close();
    }
  };
}

/** Returns all items of an iterable. */
export async function collected<Each>(iterable: AsyncIterable<Each>): Promise<Each[]> {
  const all: Each[] = [];
  for await (const each of iterable) all.push(each);
  return all;
}

/** A signal that never aborts. */
export function signal(): AbortSignal {
  return new AbortController().signal;
}

/** A reading, `offsetMs` after the log's clock now. */
export function reading(
  harness: ReadingStoreHarness,
  deviceId: string,
  offsetMs: number,
  { sensor = "temperature", value = 20 }: { readonly sensor?: SensorName; readonly value?: number } = {},
): DeviceMessage {
  return { deviceId, sensor, timestampMs: harness.nowMs() + offsetMs, value };
}

/** Publishes readings, many of them with equal times, shuffled, and returns them in order. */
export async function publishTies(harness: ReadingStoreHarness): Promise<readonly DeviceMessage[]> {
  const sorted = [-1000, 0, 1].flatMap((offset) =>
    ["B", "a", "b", "b-1", "b-10", "b-2", "z:._"].flatMap((deviceId) =>
      (["heart_rate", "humidity", "pressure", "temperature"] as const)
        .filter((sensor) => deviceId === "b" || sensor === "temperature")
        .map((sensor) => reading(harness, deviceId, offset, { sensor, value: sensors.length + 300 })),
    ),
  );
  const shuffled = sorted.map((_, place) => sorted[(place * 17) % sorted.length] as DeviceMessage);
  expect(new Set(shuffled).size).toBe(sorted.length);
  await harness.publish(shuffled.slice(0, 11));
  await harness.publish(shuffled.slice(11));
  return sorted;
}

/** A request for raw readings of all time. */
export function pageOf(options: {
  readonly limit: number;
  readonly descending?: boolean;
  readonly after?: Omit<DeviceMessage, "value">;
}): Parameters<ReadingStore["readReadings"]>[0] {
  const { limit, descending = false, after } = options;
  return {
    filter: everything,
    sinceMs: allTime.sinceMs,
    toMs: allTime.toMs,
    descending,
    limit,
    ...(after && { after }),
  };
}

type PartialsRequest = {
  readonly horizon?: StoreHorizon;
  readonly filter?: SeriesFilter;
  readonly buckets?: BucketGrid | undefined;
  readonly sinceMs?: number;
  readonly toMs?: number;
};

/** Plans and reads a timeframe; all time by default. */
export async function readAll({ store }: ReadingStoreHarness, request: PartialsRequest) {
  const { filter = everything, buckets, sinceMs = allTime.sinceMs, toMs = allTime.toMs } = request;
  const horizon = request.horizon ?? (await store.readHorizon(signal()));
  const { levels } = store;
  const timeframe = { sinceMs, toMs, levels, horizon, buckets };
  const duplicates = await readDuplicateWindows(store, { ...timeframe, filter }, signal());
  const { plan, notCovered } = planRead({ ...timeframe, duplicates });
  const read = await store.readPartials({ plan, filter, ...(buckets && { buckets }) }, signal());
  return { ...read, notCovered };
}

/** Returns the number of readings of an answer, by series and bucket. */
export async function countAll(harness: ReadingStoreHarness, request: PartialsRequest) {
  return (await countCovered(harness, request)).counts;
}

/** The same, with the spans that are not covered. */
export async function countCovered(harness: ReadingStoreHarness, request: PartialsRequest) {
  const { partials, notCovered } = await readAll(harness, request);
  const counts = new Map<string, number>();
  for (const { deviceId, sensor, bucketMs, count } of partials) {
    const key = `${deviceId}|${sensor}|${bucketMs}`;
    counts.set(key, (counts.get(key) ?? 0) + count);
  }
  return { counts, notCovered };
}

/** Buckets of all kinds around a time: of windows, of half of them, and of calendars, some of which cut windows. */
export function bucketGridsAround(nowMs: number): readonly (BucketGrid | undefined)[] {
  const around = { sinceMs: nowMs - 60 * dayMs, toMs: nowMs + 60 * dayMs };
  return [
    undefined,
    ...[10_000, 600_000, 3_600_000, dayMs].map((sizeMs) => fixedGrid(sizeMs)),
    fixedGrid(7 * dayMs, 9_000_000),
    calendarGrid("hour", "Australia/Lord_Howe", around),
    calendarGrid("day", "Asia/Kathmandu", around),
    calendarGrid("month", "Europe/Berlin", around),
  ];
}

/** Returns the number of different readings of each series and bucket. */
export function countsOf(
  messages: readonly DeviceMessage[],
  buckets: BucketGrid | undefined,
): Map<string, number> {
  const identities = new Set(
    messages.map((message) => `${message.deviceId}|${message.sensor}|${message.timestampMs}`),
  );
  const counts = new Map<string, number>();
  for (const identity of identities) {
    const [deviceId, sensor, timestamp] = identity.split("|");
    const bucket = buckets ? bucketStart(buckets, Number(timestamp)) : 0;
    const key = `${deviceId}|${sensor}|${bucket}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Expects the port's guarantees of every horizon. */
export function expectValidHorizon(levels: readonly Level[], horizon: StoreHorizon): void {
  const { completeThroughMs, frontiersMs, levelsKeptSinceMs, rawKeptSinceMs } = horizon;
  expect([frontiersMs.length, levelsKeptSinceMs.length]).toEqual([levels.length, levels.length]);
  for (const [level, frontierMs] of frontiersMs.entries()) {
    expect(frontierMs % (levels[level] as Level).segmentMs).toBe(0);
    expect(frontierMs).toBeLessThanOrEqual(frontiersMs[level - 1] ?? completeThroughMs);
  }
  for (const [level, keptSinceMs] of levelsKeptSinceMs.entries()) {
    const grain = (levels[level + 1] ?? (levels[level] as Level)).windowMs;
    if (Number.isFinite(keptSinceMs)) expect(keptSinceMs % grain).toBe(0);
    expect(keptSinceMs).toBeLessThanOrEqual(levelsKeptSinceMs[level - 1] ?? rawKeptSinceMs);
  }
}

/** A call of every unary method. */
export function calls(store: ReadingStore, with_: AbortSignal): [string, () => Promise<unknown>][] {
  const plan = planRead({
    ...allTime,
    levels: store.levels,
    horizon: {
      completeThroughMs: 0,
      frontiersMs: store.levels.map(() => 0),
      levelsKeptSinceMs: store.levels.map(() => Number.NEGATIVE_INFINITY),
      rawKeptSinceMs: Number.NEGATIVE_INFINITY,
    },
  }).plan;
  return [
    ["readHorizon", () => store.readHorizon(with_)],
    ["readDuplicateWindows", () => store.readDuplicateWindows({ filter: everything, ...allTime }, with_)],
    ["readPartials", () => store.readPartials({ plan, filter: everything }, with_)],
    ["readReadings", () => store.readReadings(pageOf({ limit: 1 }), with_)],
    ["sealHorizon", () => store.sealHorizon(with_)],
    [
      "scanReadings",
      () =>
        store
          .scanReadings({ filter: everything, ...allTime, arrivedToMs: Number.MAX_SAFE_INTEGER }, with_)
          [Symbol.asyncIterator]()
          .next(),
    ],
    ["readSeries", () => store.readSeries({ filter: everything, limit: 1 }, with_)],
    ["readDuplicates", () => store.readDuplicates({ filter: everything, limit: 1 }, with_)],
    ["readStatus", () => store.readStatus(with_)],
  ];
}

/** Returns only the name of a series. */
export function nameOf({ deviceId, sensor }: { readonly deviceId: string; readonly sensor: string }) {
  return { deviceId, sensor };
}

/** Whether two series are the same. */
export function same(
  a: { deviceId: string; sensor: string },
  b: { deviceId: string; sensor: string },
): boolean {
  return a.deviceId === b.deviceId && a.sensor === b.sensor;
}

/** By UTF-16 code units. */
export function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
