import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketStart, fixedGrid } from "../calendar/bucket-grid.ts";
import type { SeriesPartial } from "../store/reading-store.ts";
import { createColumnMerge } from "./column-merge.ts";
import type { ColumnMerge } from "./column-sums.ts";
import { mergePartials, partialOfReading } from "./merge.ts";

const windowMs = 10_000;
const minute = fixedGrid(60_000);
const names = ["c", "a", "b"];
const isBefore = (series: number, other: number): boolean =>
  (names[series] as string) < (names[other] as string);

type Reading = { readonly series: number; readonly timestampMs: number; readonly value: number };

/** Readings of three series within three minutes, each identity once, with many equal values and times. */
const readings = fc.uniqueArray(
  fc.record({
    series: fc.nat(2),
    timestampMs: fc
      .nat(36)
      .map((step) => 1_700_000_000_000 - (1_700_000_000_000 % 60_000) + step * 5000 + (step % 3)),
    value: fc.oneof(fc.integer({ min: -2, max: 2 }), fc.double({ min: -1e6, max: 1e6, noNaN: true })),
  }),
  { selector: ({ series, timestampMs }) => `${series} ${timestampMs}`, minLength: 1, maxLength: 60 },
);

function partialOf({ series, timestampMs, value }: Reading): SeriesPartial {
  return {
    ...partialOfReading({ timestampMs, value }),
    deviceId: names[series] as string,
    sensor: "temperature",
    bucketMs: 0,
    fromRaw: 1,
  };
}

/** Adds every other reading alone, and the rest as columns, among others that are outside the span. */
function addAll(merge: ColumnMerge, some: readonly Reading[]): void {
  const alone = some.filter((_, place) => place % 2 === 0);
  const rest = some.filter((_, place) => place % 2 === 1);
  for (const { series, timestampMs, value } of alone) merge.addReading(series, timestampMs, value);
  for (const [startMs, group] of Map.groupBy(
    rest,
    ({ timestampMs }) => timestampMs - (timestampMs % windowMs),
  )) {
    const outside = { series: 0, timestampMs: startMs + windowMs + 1, value: -1e9 };
    const all = [outside, ...group, { ...outside, timestampMs: startMs + windowMs }];
    const rows = {
      length: all.length,
      startMs,
      series: Int32Array.from(all, ({ series }) => series),
      offsets: Uint16Array.from(all, ({ timestampMs }) => timestampMs - startMs),
      values: Float64Array.from(all, ({ value }) => value * 4),
      divisor: 4,
    };
    merge.addReadings(rows, { sinceMs: startMs, toMs: startMs + windowMs });
  }
}

/** Converts the readings to windows of their groups: series if left out. */
function windowsOf(some: readonly Reading[], groupOf = (series: number): number => series) {
  const merge = createColumnMerge({
    groupOf,
    bucketOf: (ms) => ms - (ms % windowMs),
    isBefore,
  });
  addAll(merge, some);
  return merge.toWindows(windowMs);
}

describe("the merge of columns", () => {
  it("equals the merge of partials, for any split into windows and readings, groups and buckets", () => {
    fc.assert(
      fc.property(readings, fc.nat(59), fc.boolean(), fc.boolean(), (all, split, isOneGroup, isGrouped) => {
        const groupOf = isOneGroup ? () => 0 : (series: number) => series;
        const merge = createColumnMerge({ groupOf, bucketOf: (ms) => bucketStart(minute, ms), isBefore });
        // Windows of whole groups, or of each series.
        const windows = windowsOf(all.slice(0, split), isGrouped ? groupOf : undefined);
        merge.addWindows(windows, { sinceMs: 0, toMs: Number.POSITIVE_INFINITY });
        addAll(merge, all.slice(split));
        const expected = Map.groupBy(
          all,
          ({ series, timestampMs }) => `${isOneGroup ? 0 : series} ${bucketStart(minute, timestampMs)}`,
        );
        expect(merge.size).toBe(expected.size);
        for (const found of merge.merged()) {
          const group = isOneGroup ? 0 : found.firstSeries;
          const of = expected.get(`${group} ${found.bucketMs}`) as Reading[];
          const wanted = mergePartials(of.map(partialOf));
          const scale = of.reduce((sum, { value }) => sum + Math.abs(value), 0);
          expect(Math.abs(found.sum - wanted.sum)).toBeLessThanOrEqual(1e-13 * scale);
          expect(Math.abs(found.m2 - wanted.m2)).toBeLessThanOrEqual(1e-9 * scale * scale);
          expect(found).toMatchObject({ ...wanted, sum: found.sum, m2: found.m2 });
          const first = of.filter(({ timestampMs }) => timestampMs === wanted.firstAtMs);
          const last = of.filter(({ timestampMs }) => timestampMs === wanted.lastAtMs);
          const least = (some: readonly Reading[]) => some.map(({ series }) => names[series]).sort()[0];
          expect(names[found.firstSeries]).toBe(least(first));
          expect(names[found.lastSeries]).toBe(least(last));
        }
        const fromRaw = merge.merged().reduce((sum, row) => sum + row.fromRaw, 0);
        expect(fromRaw).toBe(all.length - Math.min(split, all.length));
      }),
    );
  });

  it("includes no window outside the span, and no series without a group", () => {
    fc.assert(
      fc.property(readings, fc.nat(18), fc.nat(18), (all, from, length) => {
        const startMs = 1_700_000_000_000 - (1_700_000_000_000 % 60_000);
        const within = { sinceMs: startMs + from * windowMs, toMs: startMs + (from + length) * windowMs };
        const merge = createColumnMerge({ groupOf: (series) => (series === 1 ? -1 : 0), isBefore });
        merge.addWindows(windowsOf(all), within);
        const count = merge.merged().reduce((sum, row) => sum + row.count, 0);
        const isWithin = ({ series, timestampMs }: Reading) =>
          series !== 1 && timestampMs >= within.sinceMs && timestampMs < within.toMs;
        expect(count).toBe(all.filter(isWithin).length);
      }),
    );
  });

  it("counts the readings of a group however many they are", () => {
    const windowOf = (count: number) => {
      const merge = createColumnMerge({ groupOf: () => 0, bucketOf: () => 1_700_000_000_000, isBefore });
      merge.addPartial(
        0,
        0,
        count,
        0,
        0,
        0,
        1_700_000_000_000,
        1_700_000_000_000,
        1_700_000_000_000,
        0,
        1_700_000_000_000,
        0,
        0,
      );
      return merge.toWindows(windowMs);
    };
    for (const count of [2 ** 16 - 1, 2 ** 16, 2 ** 32 - 1, 2 ** 32, 2 ** 40]) {
      const merge = createColumnMerge({ groupOf: () => 0, isBefore });
      merge.addWindows(windowOf(count), { sinceMs: 0, toMs: Number.POSITIVE_INFINITY });
      expect(merge.merged().map((row) => row.count)).toEqual([count]);
    }
  });

  it("merges its own windows into the same windows again", () => {
    fc.assert(
      fc.property(readings, fc.nat(59), (all, split) => {
        const merge = createColumnMerge({
          groupOf: (series) => series,
          bucketOf: (ms) => ms - (ms % windowMs),
          isBefore,
        });
        const within = { sinceMs: 0, toMs: Number.POSITIVE_INFINITY };
        merge.addWindows(windowsOf(all.slice(0, split)), within);
        merge.addWindows(windowsOf(all.slice(split)), within);
        const again = merge.toWindows(windowMs);
        const once = windowsOf(all);
        const rows = (of: typeof once) =>
          Array.from({ length: of.length }, (_, row) =>
            [
              of.series[row],
              of.windows[row],
              of.counts[row],
              of.values.slice(row * 6 + 1, row * 6 + 5),
              of.offsets.slice(row * 4, row * 4 + 4),
            ].join(" "),
          ).sort();
        expect(rows(again)).toEqual(rows(once));
      }),
    );
  });
});
