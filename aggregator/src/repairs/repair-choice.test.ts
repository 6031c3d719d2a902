import { describe, expect, it } from "vitest";
import { chooseRepairs, type DuplicateWindow, needsRepair } from "./repair-choice.ts";

const limits = {
  frontierMs: 1000,
  rawKeptSinceMs: Number.NEGATIVE_INFINITY,
  windowMs: 10,
  windowsMax: 100,
  spanWindowsMax: 3,
};

function repeated(windowMs: number, options: Partial<DuplicateWindow> = {}): DuplicateWindow {
  const at = options.lastDuplicateMs ?? 500;
  return {
    deviceId: "a",
    sensor: "temperature",
    windowMs,
    firstDuplicateMs: at,
    lastDuplicateMs: at,
    repairedThroughMs: undefined,
    ...options,
  };
}

describe("needsRepair", () => {
  it("is true for duplicates that arrived before the frontier and that no repair covers", () => {
    expect(needsRepair(repeated(0), limits)).toBe(true);
    expect(needsRepair(repeated(0, { repairedThroughMs: 500 }), limits)).toBe(true);
    expect(needsRepair(repeated(0, { repairedThroughMs: 501 }), limits)).toBe(false);
  });

  it("is false while a duplicate is not before the frontier, because the repair would not cover it", () => {
    expect(needsRepair(repeated(0, { lastDuplicateMs: 1000 }), limits)).toBe(false);
    expect(needsRepair(repeated(0, { firstDuplicateMs: 500, lastDuplicateMs: 1000 }), limits)).toBe(false);
    expect(needsRepair(repeated(0, { lastDuplicateMs: 999 }), limits)).toBe(true);
  });

  it("is false for windows whose raw readings may be deleted", () => {
    expect(needsRepair(repeated(40), { ...limits, rawKeptSinceMs: 50 })).toBe(false);
    expect(needsRepair(repeated(50), { ...limits, rawKeptSinceMs: 50 })).toBe(true);
  });
});

describe("chooseRepairs", () => {
  it("joins adjacent windows of one series, up to the longest span", () => {
    const windows = [30, 0, 10, 20, 50].map((ms) => repeated(ms));
    expect(chooseRepairs([...windows, repeated(60, { deviceId: "b" })], limits)).toEqual([
      { deviceId: "a", sensor: "temperature", sinceMs: 0, toMs: 30 },
      { deviceId: "a", sensor: "temperature", sinceMs: 30, toMs: 40 },
      { deviceId: "a", sensor: "temperature", sinceMs: 50, toMs: 60 },
      { deviceId: "b", sensor: "temperature", sinceMs: 60, toMs: 70 },
    ]);
  });

  it("chooses at most the allowed number of windows, those with the oldest last duplicate first", () => {
    const windows = [
      repeated(0, { lastDuplicateMs: 700 }),
      repeated(100, { lastDuplicateMs: 600 }),
      repeated(200),
    ];
    const starts = chooseRepairs(windows, { ...limits, windowsMax: 2 }).map(({ sinceMs }) => sinceMs);
    expect(starts.sort((a, b) => a - b)).toEqual([100, 200]);
  });

  it("chooses nothing if nothing needs a repair", () => {
    expect(chooseRepairs([repeated(0, { repairedThroughMs: 900 })], limits)).toEqual([]);
    expect(chooseRepairs([], limits)).toEqual([]);
  });
});
