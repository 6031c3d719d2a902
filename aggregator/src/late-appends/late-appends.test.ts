import { describe, expect, it } from "vitest";
import { createLateAppends, type LogRecord } from "./late-appends.ts";
import { newestAppends } from "./newest-appends.ts";

const at = (...offsets: number[]) => new Map(offsets.entries());
const key = "a|temperature|1970-01-01T00:00:25.000Z";
const record = (offset: number, arrivedMs: number, changes: Partial<LogRecord> = {}): LogRecord => ({
  partition: 0,
  offset,
  arrivedMs,
  key,
  ...changes,
});
const late = (arrivedMs: number) => ({ deviceId: "a", sensor: "temperature", windowMs: 20_000, arrivedMs });
const sizes = {
  windowMs: 10_000,
  segmentMs: 10_000,
  sinceMs: 0,
  newestMs: new Map<number, number>(),
  leadMs: 0,
};
const batch = { from: at(0), to: at(100), watermarkMs: 50_000, isGap: false };

describe("createLateAppends", () => {
  it("finds the windows of messages whose segment had ended at the watermark of their batch", () => {
    const found = createLateAppends({ ...sizes, ranges: [batch] });
    expect(found.windowsOf([record(1, 50_000), record(2, 40_000)])).toEqual([late(40_000)]);
    expect(found.windowsOf([record(3, 40_001), record(4, 49_999)])).toEqual([late(49_999)]);
    expect(found.windowsOf([record(5, 50_001)])).toEqual([]);
  });

  it("compares each message with the watermark of its own batch", () => {
    const ranges = [
      { ...batch, to: at(10), watermarkMs: 10_000 },
      { ...batch, from: at(10), watermarkMs: 50_000 },
    ];
    const found = createLateAppends({ ...sizes, ranges });
    expect(found.windowsOf([record(9, 40_000)])).toEqual([]);
    expect(found.windowsOf([record(10, 40_000)])).toEqual([late(40_000)]);
    expect(found.windowsOf([record(100, 40_000)])).toEqual([]);
  });

  it("finds in a gap the messages that are earlier than the newest of their partition, before the gap or in it", () => {
    const gap = { ...batch, watermarkMs: 90_000, isGap: true };
    const found = createLateAppends({ ...sizes, ranges: [gap], newestMs: at(30_000) });
    expect(found.windowsOf([record(0, 31_000), record(1, 25_000)])).toEqual([late(25_000)]);
    expect(found.windowsOf([record(2, 60_000), record(3, 45_000)])).toEqual([late(45_000)]);
    // No batch of the gap had a later watermark than the one after it.
    expect(found.windowsOf([record(4, 100_000), record(5, 90_000)])).toEqual([]);
  });

  it("finds the messages that a checkpoint leaves out because of their append time", () => {
    const found = createLateAppends({ ...sizes, ranges: [{ ...batch, watermarkMs: 0 }], sinceMs: 30_000 });
    expect(found.windowsOf([record(0, 29_999), record(1, 30_000)])).toEqual([late(29_999)]);
  });

  it("ignores ticks, and records without an identity", () => {
    const found = createLateAppends({ ...sizes, ranges: [batch] });
    for (const other of ["tick", null, "", "a|b"]) {
      expect(found.windowsOf([record(1, 0, { key: other })])).toEqual([]);
    }
  });
});

describe("newestAppends", () => {
  it("finds the largest append time before an offset, from the first offset at each time", async () => {
    const times = [5, 900, 300, 1000, 1_764_000_000_123];
    const offsetsAt = async (ms: number) => {
      const first = times.findIndex((time) => time >= ms);
      return new Map([[0, first < 0 ? times.length : first]]);
    };
    for (const [offset, expected] of [undefined, 5, 900, 900, 1000, 1_764_000_000_123].entries()) {
      expect((await newestAppends(at(offset), offsetsAt)).get(0)).toBe(expected);
    }
  });

  it("looks up each time once for all partitions", async () => {
    const newestMs = 1_764_000_000_123;
    const partitions = Array.from({ length: 64 }, (_, partition) => partition);
    let requests = 0;
    const offsetsAt = async (ms: number) => {
      requests++;
      return new Map(partitions.map((partition) => [partition, ms <= newestMs ? 0 : 1]));
    };
    const found = await newestAppends(new Map(partitions.map((partition) => [partition, 1])), offsetsAt);
    expect(found).toEqual(new Map(partitions.map((partition) => [partition, newestMs])));
    expect(requests).toBeLessThan(50);
  });
});
