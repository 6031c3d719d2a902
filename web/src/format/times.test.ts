import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, formatMoment, fromInputValue, isZone, toInputValue } from "./times.ts";

const zones = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"];

describe("times in a zone", () => {
  it("are parsed back to the same time, or an hour apart if the local time occurs twice", () => {
    const moments = fc.integer({ min: Date.UTC(2000, 0, 1) / 1000, max: Date.UTC(2037, 0, 1) / 1000 });
    fc.assert(
      fc.property(moments, fc.constantFrom(...zones), (seconds, zone) => {
        const ms = seconds * 1000;
        const back = fromInputValue(toInputValue(ms, zone), zone) ?? Number.NaN;
        expect(toInputValue(back, zone)).toBe(toInputValue(ms, zone));
        expect(ms - back).toBeGreaterThanOrEqual(0);
        expect(ms - back).toBeLessThanOrEqual(3_600_000);
      }),
    );
  });

  it("are correct on both sides of a change of the clock", () => {
    // 2026-03-29: at 01:00 UTC clocks in Berlin go from 02:00 to 03:00.
    expect(formatMoment(Date.UTC(2026, 2, 29, 0, 59, 59), "Europe/Berlin")).toBe("2026-03-29 01:59:59");
    expect(formatMoment(Date.UTC(2026, 2, 29, 1), "Europe/Berlin")).toBe("2026-03-29 03:00:00");
    expect(fromInputValue("2026-03-29T02:30", "Europe/Berlin")).toBe(Date.UTC(2026, 2, 29, 1, 30));
    expect(formatMoment(Date.UTC(2026, 0, 1), "Asia/Kathmandu", true)).toBe("2026-01-01 05:45:00.000");
    expect(fromInputValue("soon", "UTC")).toBeUndefined();
    expect(isZone("Mars/Olympus")).toBe(false);
  });
});

it("durations have their two largest units", () => {
  expect([0, 999, 59_999, 61_000, 3_600_000, 90_061_000].map((ms) => formatDuration(ms))).toEqual([
    ...["0 s", "0 s", "59 s", "1 min 1 s", "1 h", "1 d 1 h"],
  ]);
  expect(formatDuration(420, { fine: true })).toBe("0.4 s");
});
