import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { convertText } from "../testing/convert-text.ts";
import { expectedRecordings } from "../testing/expected-recordings.ts";

describe("the recordings, converted", () => {
  it.each(expectedRecordings())("$file", ({ path, options, series, leftOut }) => {
    const { inspection, readings, missing, unknown, refused, badRows } = convertText(
      readFileSync(path, "utf8"),
      options,
    );
    expect(inspection.questions).toEqual([]);
    expect(refused).toEqual([]);
    const first = new Map<string, { series: string; value: number }>();
    const found = {
      duplicates: 0,
      conflicts: 0,
      missing,
      unknown_sensor: unknown.length,
      bad_rows: badRows.length,
    };
    for (const { device, sensor, time, value } of readings) {
      const identity = `${device}|${sensor}|${time}`;
      const before = first.get(identity);
      if (before === undefined) first.set(identity, { series: `${device}|${sensor}`, value });
      else if (before.value === value) found.duplicates += 1;
      else found.conflicts += 1;
    }
    expect(Object.fromEntries(Object.entries(found).filter(([, count]) => count > 0))).toEqual(leftOut);
    const bySeries = Map.groupBy(first.values(), (reading) => reading.series);
    const summaries = [...bySeries].map(([name, of]) => {
      const values = of.map(({ value }) => value);
      const sum = values.reduce((total, value) => total + value, 0);
      return [
        name,
        {
          count: values.length,
          minimum: Math.min(...values),
          maximum: Math.max(...values),
          sum: expect.closeTo(sum, 8),
        },
      ];
    });
    expect(series).toEqual(Object.fromEntries(summaries));
  });
});
