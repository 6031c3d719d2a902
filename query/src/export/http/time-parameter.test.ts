import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTimeText, createZoneClock } from "../formats/zone-clock.ts";
import { durationMs, timeParameter } from "./time-parameter.ts";

const utc = createZoneClock("UTC");
const nowMs = Date.UTC(2026, 10, 23, 20, 4, 22, 500);
const zones = [
  "Europe/Berlin",
  "America/St_Johns",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Pacific/Chatham",
];

describe("a time parameter", () => {
  it("is a date, a date and time, now, or a duration before now", () => {
    const read = (text: string) => timeParameter(text, utc, nowMs);
    expect(read("2026-11-23")).toBe(Date.UTC(2026, 10, 23));
    expect(read("2026-11-23T20:04")).toBe(Date.UTC(2026, 10, 23, 20, 4));
    expect(read("2026-11-23T20:04:22.1239Z")).toBe(Date.UTC(2026, 10, 23, 20, 4, 22, 123));
    expect(read("2026-11-23T20:04:22+01:00")).toBe(Date.UTC(2026, 10, 23, 19, 4, 22));
    expect(read("2026-11-23T20:04:22-0330")).toBe(Date.UTC(2026, 10, 23, 23, 34, 22));
    // `+` that was not percent-encoded in the URL.
    expect(read("2026-11-23T20:04:22 01:00")).toBe(Date.UTC(2026, 10, 23, 19, 4, 22));
    expect(read("now")).toBe(nowMs);
    expect(read("-7d")).toBe(nowMs - 7 * 86_400_000);
    expect(read("-90min")).toBe(nowMs - 5_400_000);
  });

  it("is rejected in any other form", () => {
    for (const text of [
      "",
      "yesterday",
      "7d",
      "-7",
      "-1y",
      "2026-02-30",
      "2026-13-01",
      "2026-11-23T25:00",
      "23.11.2026",
      "11/23/2026",
      "2026-11-23 20:04",
      "2026-11-23T20:04:22+25:00",
      "1700000000",
    ])
      expect([text, timeParameter(text, utc, nowMs)]).toEqual([text, undefined]);
    for (const text of ["", "1", "h", "-1h", "1.5h", "1 h", "1y"]) expect(durationMs(text)).toBeUndefined();
  });

  it("is local time of the zone if it has no offset, also across changes of the clocks", () => {
    const berlin = createZoneClock("Europe/Berlin");
    const read = (text: string) => new Date(timeParameter(text, berlin, nowMs) ?? Number.NaN).toISOString();
    expect(read("2026-07-01")).toBe("2026-06-30T22:00:00.000Z");
    expect(read("2026-12-01T12:00")).toBe("2026-12-01T11:00:00.000Z");
    // Twice: the first. Skipped: as if the clocks had not changed yet.
    expect(read("2026-10-25T02:30")).toBe("2026-10-25T00:30:00.000Z");
    expect(read("2026-03-29T02:30")).toBe("2026-03-29T01:30:00.000Z");
    expect(read("2026-12-01T12:00Z")).toBe("2026-12-01T12:00:00.000Z");
  });

  it("parses the times of an export, in every zone at any time", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("UTC", ...zones),
        fc.integer({ min: Date.UTC(2000), max: Date.UTC(2040) }),
        (zone, ms) => {
          const clock = createZoneClock(zone);
          const text = createTimeText(clock)(ms);
          expect(timeParameter(text, clock, nowMs)).toBe(ms);
          expect(Date.parse(text)).toBe(ms);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("is the time of a local time that occurs once", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: Date.UTC(2000), max: Date.UTC(2040) }),
        (zone, ms) => {
          const clock = createZoneClock(zone);
          const found = clock.momentOf(ms + clock.offsetMs(ms));
          // For a local time that occurs twice, the first one is found.
          expect(found).toBeLessThanOrEqual(ms);
          expect(found + clock.offsetMs(found)).toBe(ms + clock.offsetMs(ms));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
