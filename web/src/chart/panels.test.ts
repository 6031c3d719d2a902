import { describe, expect, it } from "vitest";
import type { Line } from "../mesh/lines.ts";
import { panelsOf } from "./panels.ts";

const bucketMs = 10_000;

function line(key: string, unit: string, starts: readonly number[]): Line {
  const points = starts.map((place) => ({
    ...{ startMs: place * bucketMs, endMs: (place + 1) * bucketMs, count: 1 },
    ...{ average: place, minimum: place - 1, maximum: place + 1 },
  }));
  return { key, deviceId: key, sensor: "s", unit, points };
}

describe("panelsOf", () => {
  it("makes a panel for each unit, and keeps the colours of the lines", () => {
    const panels = panelsOf([line("a", "°C", [0]), line("b", "%", [0]), line("c", "°C", [0])], bucketMs);
    expect(panels.map(({ unit, lines }) => [unit, lines.map(({ colour }) => colour)])).toEqual([
      ["°C", [0, 2]],
      ["%", [1]],
    ]);
  });

  it("breaks a line at missing readings, and nowhere else", () => {
    const [panel] = panelsOf([line("a", "°C", [0, 1, 2, 9, 10, 11])], bucketMs);
    expect(panel?.times).toEqual([0, 10, 20, 30, 90, 100, 110]);
    expect(panel?.lines[0]?.columns[0]).toEqual([0, 1, 2, null, 9, 10, 11]);
    const [sparse] = panelsOf([line("a", "°C", [0, 5, 10, 15, 21])], bucketMs);
    expect(sparse?.lines[0]?.columns[0]).toEqual([0, 5, 10, 15, 21]);
  });

  it("does not break a line at a bucket that only another line has", () => {
    const [panel] = panelsOf([line("a", "°C", [0, 1, 2]), line("b", "°C", [0, 2])], bucketMs);
    expect(panel?.lines[1]?.columns[0]).toEqual([0, undefined, 2]);
    expect(panel?.lines[1]?.columns[2]).toEqual([1, undefined, 3]);
  });

  it("has a column for each percentile, and a gap where the server returns none", () => {
    const known = line("a", "°C", [0, 1]);
    const points = known.points.map((point, place) =>
      place === 0 ? { ...point, quantiles: [1, 2, 3, 4] } : point,
    );
    const [panel] = panelsOf([{ ...known, points }], bucketMs, "percentiles");
    expect(panel?.lines[0]?.columns).toEqual([1, 2, 3, 4].map((value) => [value, null]));
  });

  it("has the time-weighted average instead of the average, and a gap where no value holds", () => {
    const known = line("a", "°C", [0, 1]);
    const points = known.points.map((point, place) =>
      place === 0 ? { ...point, timeWeighted: 0.25 } : point,
    );
    const [panel] = panelsOf([{ ...known, points }], bucketMs, "weighted");
    expect(panel?.lines[0]?.columns).toEqual([
      [0.25, null],
      [-1, 0],
      [1, 2],
    ]);
  });
});
