import { builtInSensors, sensors } from "@devicemesh/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSeriesRegistry } from "../series/series-registry.ts";
import { createReadingColumns, type SortedMessages, settleUnknown, sortBatch } from "./duplicate-filter.ts";

type Row = readonly [device: number, timestampMs: number, value: number];

function batchOf(rows: readonly Row[]) {
  return {
    length: rows.length,
    deviceIds: rows.map(([device]) => `device-${device}`),
    sensors: builtInSensors,
    sensorCodes: new Uint16Array(rows.length),
    timestampsMs: Float64Array.from(rows, ([, timestampMs]) => timestampMs),
    values: Float64Array.from(rows, ([, , value]) => value),
  };
}

describe("sortBatch and settleUnknown", () => {
  it("keeps the first of each identity and counts the others, like a plain map", () => {
    const row = fc.tuple(fc.nat(2), fc.nat(6), fc.nat(1));
    fc.assert(
      fc.property(fc.array(fc.array(row, { maxLength: 12 }), { maxLength: 6 }), (commits) => {
        const registry = createSeriesRegistry([]);
        const stored = new Map<string, number>();
        const expected = new Map<string, number>();
        let [duplicates, conflicts] = [0, 0];
        let counted = { duplicates: 0, conflicts: 0 };
        for (const rows of commits) {
          for (const [device, timestampMs, value] of rows) {
            const identity = `device-${device}@${timestampMs}`;
            const first = expected.get(identity);
            if (first === undefined) expected.set(identity, value);
            else if (first === value) duplicates++;
            else conflicts++;
          }
          // Columns that must grow: they have capacity for one row.
          const sorted: SortedMessages = {
            fresh: createReadingColumns(1),
            possibleDuplicates: createReadingColumns(1),
          };
          sortBatch(batchOf(rows), registry, sorted);
          const nameOf = (series: number, timestampMs: number) =>
            `${registry.get(series).deviceId}@${timestampMs}`;
          const settled = settleUnknown(sorted, (series, timestampMs) =>
            stored.get(nameOf(series, timestampMs)),
          );
          counted = {
            duplicates: counted.duplicates + settled.duplicates,
            conflicts: counted.conflicts + settled.conflicts,
          };
          for (let place = 0; place < sorted.fresh.length; place++) {
            const identity = nameOf(sorted.fresh.series[place] ?? -1, sorted.fresh.timestampsMs[place] ?? -1);
            expect(stored.has(identity)).toBe(false);
            stored.set(identity, sorted.fresh.values[place] ?? Number.NaN);
          }
        }
        expect(stored).toEqual(expected);
        expect(counted).toEqual({ duplicates, conflicts });
      }),
    );
  });

  it("finds no unknown readings if each is later than the last of its series", () => {
    const registry = createSeriesRegistry([]);
    const sorted = { fresh: createReadingColumns(4), possibleDuplicates: createReadingColumns(4) };
    sortBatch(
      batchOf([
        [0, 10, 1],
        [1, 5, 1],
        [0, 11, 1],
        [1, 6, 1],
      ]),
      registry,
      sorted,
    );
    expect(sorted.fresh.length).toBe(4);
    expect(sorted.possibleDuplicates.length).toBe(0);
  });
});

describe("createSeriesRegistry", () => {
  it("numbers series without gaps, in order of arrival", () => {
    const registry = createSeriesRegistry([]);
    expect([
      registry.codeOf("b", 0),
      registry.codeOf("a", 1),
      registry.codeOf("b", 0),
      registry.codeOf("b", 1),
    ]).toEqual([0, 1, 0, 2]);
  });

  it("lists a series only once it is stored, in the order of names", () => {
    const registry = createSeriesRegistry([]);
    registry.codeOf("b", 0);
    registry.codeOf("a", 1);
    expect(registry.page({ sensors: [], limit: 10 })).toEqual([]);
    expect(registry.find("a", sensors[1]?.sensor ?? "")).toBeUndefined();
    registry.markSaved(2);
    expect(registry.page({ sensors: [], limit: 10 }).map(({ deviceId }) => deviceId)).toEqual(["a", "b"]);
    expect(registry.find("a", sensors[1]?.sensor ?? "")).toBe(1);
    expect([registry.saved, registry.size]).toEqual([2, 2]);
  });

  it("rejects a store whose series have gaps", () => {
    const series = { deviceId: "a", latestMs: 0 };
    expect(() => createSeriesRegistry([{ ...series, code: 1, sensor: "humidity" }])).toThrow("without gaps");
  });
});
