import { createColumnMerge, type MergedColumns, type WindowColumns } from "@devicemesh/query";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { windowsBySensor } from "./sensor-windows.ts";

const windowMs = 10_000;
const startMs = 1_700_000_000_000;
const sensorsOfDevice = 3;

function deviceIdOf(code: number): string {
  return `device-${String(99 - Math.floor(code / sensorsOfDevice)).padStart(2, "0")}`;
}

/** Devices in the reverse order of their names, with a series for each sensor. */
const registry = {
  isDeviceBefore: (code: number, other: number) => deviceIdOf(code) < deviceIdOf(other),
  sensorCodeOf: (code: number) => code % sensorsOfDevice,
};
const isBefore = registry.isDeviceBefore;

type Reading = readonly [series: number, atMs: number, value: number];

function windowsOf(readings: readonly Reading[]): WindowColumns {
  const merge = createColumnMerge({
    groupOf: (series) => series,
    bucketOf: (ms) => ms - (ms % windowMs),
    isBefore,
  });
  for (const [series, atMs, value] of readings) merge.addReading(series, startMs + atMs, value);
  return merge.toWindows(windowMs);
}

/** The figures of each sensor in a span, in the order of the sensors. */
function figuresOf(windows: WindowColumns, within: { readonly sinceMs: number; readonly toMs: number }) {
  const merge = createColumnMerge({ groupOf: registry.sensorCodeOf, isBefore });
  merge.addWindows(windows, within);
  return merge
    .merged()
    .map(({ sum, m2, ...figures }: MergedColumns) => ({
      ...figures,
      sum: Number(sum.toFixed(9)),
      m2: Number(m2.toFixed(6)),
    }))
    .sort((a, b) => registry.sensorCodeOf(a.firstSeries) - registry.sensorCodeOf(b.firstSeries));
}

const readings = fc.uniqueArray(
  fc.tuple(
    fc.nat(8 * sensorsOfDevice - 1),
    fc.nat(12).map((step) => step * 5000),
    fc.integer({ min: -3, max: 3 }),
  ),
  { selector: ([series, atMs]) => `${series} ${atMs}`, minLength: 1, maxLength: 200 },
);

describe("windows by sensor", () => {
  it("have the figures of the windows of all devices merged, in any span of windows", () => {
    fc.assert(
      fc.property(readings, fc.nat(7), fc.nat(7), (all, from, length) => {
        const windows = windowsOf(all);
        const within = {
          sinceMs: startMs + from * windowMs,
          toMs: startMs + (from + length) * windowMs,
        };
        expect(figuresOf(windowsBySensor(windows, registry), within)).toEqual(figuresOf(windows, within));
      }),
    );
  });

  it("are one row for each sensor and window", () => {
    const all = Array.from({ length: 8 * sensorsOfDevice }, (_, series): Reading[] => [
      [series, 0, series],
      [series, 9999, series],
      [series, 10_000, series],
    ]).flat();
    const windows = windowsOf(all);
    expect(windows.length).toBe(8 * sensorsOfDevice * 2);
    expect(windowsBySensor(windows, registry).length).toBe(sensorsOfDevice * 2);
  });

  it("are the windows of the device if each sensor has one device, without further memory", () => {
    const windows = windowsOf([0, 1, 2].map((series): Reading => [series, 0, 1]));
    expect(windowsBySensor(windows, registry)).toBe(windows);
  });
});
