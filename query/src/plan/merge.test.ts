import { type SensorName, sensorByName } from "@devicemesh/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactSum } from "../../testing/oracle/index.ts";
import type { SeriesPartial } from "../store/reading-store.ts";
import { createGroupMerge, type Grouping, mergePartials, partialOfReading } from "./merge.ts";

function partial(options: {
  readonly deviceId?: string;
  readonly sensor?: SensorName;
  readonly timestampMs: number;
  readonly value: number;
  readonly bucketMs?: number;
}): SeriesPartial {
  const { deviceId = "a", sensor = "temperature", bucketMs = 0 } = options;
  return { ...partialOfReading(options), deviceId, sensor, bucketMs, fromRaw: 1 };
}

/** Merges like a store and its levels: pieces first, then the pieces. */
function mergeInPieces(partials: readonly SeriesPartial[], size: number): SeriesPartial {
  const pieces = piecesOf(partials, size);
  return { ...(pieces[0] as SeriesPartial), ...mergePartials(pieces) };
}

function piecesOf(partials: readonly SeriesPartial[], size: number): SeriesPartial[] {
  const pieces: SeriesPartial[] = [];
  for (let start = 0; start < partials.length; start += size) {
    const piece = partials.slice(start, start + size);
    pieces.push({ ...(piece[0] as SeriesPartial), ...mergePartials(piece) });
  }
  return pieces;
}

function aggregatesOf(partials: readonly SeriesPartial[], grouping: Grouping) {
  const merge = createGroupMerge(grouping, (sensor) => sensorByName(sensor)?.unit ?? "");
  merge.add(partials);
  return merge.aggregates();
}

describe("mergePartials", () => {
  it("keeps the deviation of close values far from zero, for any split", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -10, max: 10 }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 50 }),
        (steps, size) => {
          const values = steps.map((step) => 1013.25 + step / 1000);
          const merged = mergeInPieces(
            values.map((value, timestampMs) => partial({ timestampMs, value })),
            size,
          );
          const mean = exactSum(values) / values.length;
          const m2 = exactSum(values.map((value) => (value - mean) ** 2));
          expect(Math.abs(Math.sqrt(merged.m2) - Math.sqrt(m2))).toBeLessThan(1e-10);
        },
      ),
    );
  });

  it("loses nothing of a long sum of different sizes", () => {
    const values = Array.from({ length: 100_000 }, (_, place) => (place % 2 === 0 ? 1e8 + 0.1 : -1e8));
    const { sum } = mergePartials(values.map((value, timestampMs) => partial({ timestampMs, value })));
    expect(sum).toBe(exactSum(values));
  });

  it("decides ties of times by the smaller device_id, in any order", () => {
    const first = partial({ deviceId: "a", timestampMs: 5, value: 1 });
    const second = partial({ deviceId: "b", timestampMs: 5, value: 2 });
    for (const pair of [
      [first, second],
      [second, first],
    ]) {
      expect(mergePartials(pair)).toMatchObject({ firstValue: 1, lastValue: 1, firstAtMs: 5, lastAtMs: 5 });
    }
  });

  it("decides ties of values by the earlier timestamp, in any order", () => {
    const early = partial({ deviceId: "b", timestampMs: 5, value: 1 });
    const late = partial({ deviceId: "a", timestampMs: 6, value: 1 });
    for (const pair of [
      [early, late],
      [late, early],
    ]) {
      expect(mergePartials(pair)).toMatchObject({ minimumAtMs: 5, maximumAtMs: 5 });
    }
  });

  it("rejects an empty merge", () => {
    expect(() => mergePartials([])).toThrow(RangeError);
  });
});

describe("createGroupMerge", () => {
  const readings = [
    partial({ deviceId: "b", timestampMs: 1, value: 1 }),
    partial({ deviceId: "B", timestampMs: 2, value: 2 }),
    partial({ deviceId: "b", timestampMs: 3, value: 5 }),
  ];

  it("names the group by the common names of its readings, in order of code units", () => {
    const groups = (grouping: Grouping) =>
      aggregatesOf(readings, grouping).map(({ deviceId, sensor, unit, partial: { count } }) =>
        [deviceId, sensor, unit, count].join("|"),
      );
    expect(groups("series")).toEqual(["B|temperature|°C|1", "b|temperature|°C|2"]);
    expect(groups("device")).toEqual(["B||°C|1", "b||°C|2"]);
    expect(groups("sensor")).toEqual(["|temperature|°C|3"]);
    expect(groups("all")).toEqual(["||°C|3"]);
  });

  it("keeps the average within the values, and the deviation of equal values at 0, for any split", () => {
    const few = fc.tuple(fc.double({ min: -100, max: 150, noNaN: true }), fc.constantFrom(0, 0, 1, 2));
    fc.assert(
      fc.property(
        few,
        fc.array(fc.nat(3), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 50 }),
        ([value, different], places, size) => {
          // Equal values, or values that differ in their last bits.
          const values = places.map((place) => value * (1 + (place % (different + 1)) * Number.EPSILON));
          const readings = values.map((each, timestampMs) => partial({ timestampMs, value: each }));
          const [minimum, maximum] = [Math.min(...values), Math.max(...values)];
          for (const partials of [readings, [mergeInPieces(readings, size)], piecesOf(readings, size)]) {
            const [aggregate] = aggregatesOf(partials, "all");
            const { average = Number.NaN, standardDeviation = Number.NaN } = aggregate ?? {};
            expect(average).toBeGreaterThanOrEqual(minimum);
            expect(average).toBeLessThanOrEqual(maximum);
            expect(standardDeviation).toBeGreaterThanOrEqual(0);
            expect(standardDeviation).toBeLessThanOrEqual((maximum - minimum) / 2);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it("accepts partials with rounding errors, because stores compute them differently", () => {
    const off = { ...partial({ timestampMs: 1, value: 0.1 }), count: 3, sum: 0.30000000000000004 };
    for (const m2 of [2e-34, -2e-34]) {
      expect(aggregatesOf([{ ...off, m2 }], "all")).toMatchObject([{ average: 0.1, standardDeviation: 0 }]);
      const [spread] = aggregatesOf([{ ...off, m2, maximum: 0.2 }], "all");
      expect(spread?.standardDeviation).not.toBeNaN();
    }
  });

  it("separates buckets, in order", () => {
    const inBuckets = [20, 0, 10, 20].map((bucketMs) =>
      partial({ timestampMs: bucketMs, value: 1, bucketMs }),
    );
    expect(
      aggregatesOf(inBuckets, "all").map(({ bucketMs, partial: { count } }) => [bucketMs, count]),
    ).toEqual([
      [0, 1],
      [10, 1],
      [20, 2],
    ]);
  });

  it("rejects a group with two units and names them with the solution", () => {
    const mixed = [...readings, partial({ deviceId: "b", sensor: "pressure", timestampMs: 9, value: 1000 })];
    for (const grouping of ["device", "all"] as const) {
      expect(() => aggregatesOf(mixed, grouping)).toThrow(/group_by.*hPa.*°C.*sensors.*series/);
    }
    expect(aggregatesOf(mixed, "series")).toHaveLength(3);
    expect(aggregatesOf(mixed, "sensor")).toHaveLength(2);
  });

  it("rejects a group of two sensors with unknown units, and accepts one", () => {
    const unknown = ["mood", "smell"].map((sensor) => partial({ sensor, timestampMs: 1, value: 1 }));
    expect(() => aggregatesOf(unknown, "all")).toThrow(/an unknown unit and in an unknown unit/);
    expect(aggregatesOf(unknown.slice(1), "all")).toMatchObject([{ unit: "", sensor: "" }]);
    expect(aggregatesOf(unknown, "sensor")).toHaveLength(2);
  });

  it("counts readings by source", () => {
    const folded = { ...partial({ timestampMs: 1, value: 1 }), count: 7, fromRaw: 0 };
    expect(aggregatesOf([folded, ...readings], "all")[0]).toMatchObject({
      fromRaw: 3,
      partial: { count: 10 },
    });
  });
});
