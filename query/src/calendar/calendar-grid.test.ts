import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shownMs, unitShown } from "../../testing/oracle/zone-clock.ts";
import { bucketEnd, bucketStart, bucketStarts, countBuckets, fixedGrid } from "./bucket-grid.ts";
import { type CalendarUnit, calendarGrid, estimateBuckets } from "./calendar-grid.ts";
import { timeZoneNamed } from "./zone-offsets.ts";

const [minuteMs, hourMs, dayMs] = [60_000, 3_600_000, 86_400_000];
const units: readonly CalendarUnit[] = ["hour", "day", "week", "month", "quarter", "year"];

/**
 * Changes by an hour, by half an hour, at midnight, across the date line; none at half and three quarters of an hour.
 */
const zones = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "America/Havana",
  "Asia/Beirut",
  "Africa/Casablanca",
  "Asia/Pyongyang",
  "Pacific/Apia",
] as const;

const [beginMs, endMs] = [Date.UTC(2000, 0, 1), Date.UTC(2026, 11, 31)];

const moments = () =>
  fc.oneof(
    fc.integer({ min: beginMs, max: endMs }),
    // Around the hours in which clocks change.
    fc
      .tuple(fc.integer({ min: 0, max: 27 * 366 }), fc.integer({ min: -90, max: 90 }))
      .map(([day, minutes]) => Math.min(beginMs + day * dayMs + minutes * minuteMs, endMs)),
  );

describe("calendarGrid", () => {
  for (const unit of units) {
    it(`begins a bucket exactly where the local time of a zone enters another ${unit}`, () => {
      fc.assert(
        fc.property(fc.constantFrom(...zones), moments(), fc.nat(40 * dayMs), (zone, ms, lengthMs) => {
          const grid = calendarGrid(unit, zone, { sinceMs: ms, toMs: ms + lengthMs });
          for (const startMs of [...bucketStarts(grid, { sinceMs: ms, toMs: ms + lengthMs + 1 })].slice(
            0,
            30,
          )) {
            const end = bucketEnd(grid, startMs);
            const shown = unitShown(unit, startMs, zone);
            const before = unitShown(unit, startMs - 1, zone);
            if (unit === "hour") expect(shown !== before || shownMs(startMs, zone) % hourMs === 0).toBe(true);
            else expect(shown).toBeGreaterThan(before);
            const steps = unit === "hour" ? (end - startMs) / minuteMs : 12;
            for (let step = 1; step < steps; step++) {
              const at = startMs + Math.floor(((end - startMs) * step) / steps);
              if (unit === "hour") {
                expect(unitShown(unit, at, zone)).toBe(shown);
                expect(shownMs(at, zone) % hourMs).not.toBe(0);
              } else expect(unitShown(unit, at, zone)).toBeLessThanOrEqual(shown);
            }
            expect(unitShown(unit, end - 1, zone)).toBeLessThanOrEqual(shown);
            expect(bucketStart(grid, startMs)).toBe(startMs);
            expect(bucketStart(grid, end - 1)).toBe(startMs);
            expect(bucketStart(grid, end)).toBe(end);
          }
        }),
        { numRuns: unit === "hour" ? 20 : 80 },
      );
    });
  }

  it("returns days of 23 and 25 hours at both changes of the clock, in three zones", () => {
    const hours = (zone: string, day: string): number => {
      const ms = Date.parse(`${day}T12:00:00Z`);
      const grid = calendarGrid("day", zone, { sinceMs: ms, toMs: ms + 1 });
      const startMs = bucketStart(grid, ms);
      return (bucketEnd(grid, startMs) - startMs) / hourMs;
    };
    expect(hours("Europe/Berlin", "2026-03-29")).toBe(23);
    expect(hours("Europe/Berlin", "2026-10-25")).toBe(25);
    expect(hours("America/New_York", "2026-03-08")).toBe(23);
    expect(hours("America/New_York", "2026-11-01")).toBe(25);
    expect(hours("Australia/Lord_Howe", "2026-04-05")).toBe(24.5);
    expect(hours("Australia/Lord_Howe", "2026-10-04")).toBe(23.5);
    expect(hours("Asia/Kathmandu", "2026-03-29")).toBe(24);
  });

  it("returns an hour that occurs twice as two buckets", () => {
    const at = (text: string): number => Date.parse(text);
    const span = { sinceMs: at("2026-10-25T00:00:00Z"), toMs: at("2026-10-25T03:00:00Z") };
    expect([...bucketStarts(calendarGrid("hour", "Europe/Berlin", span), span)]).toEqual([
      at("2026-10-25T00:00:00Z"),
      at("2026-10-25T01:00:00Z"),
      at("2026-10-25T02:00:00Z"),
    ]);
  });

  it("starts weeks on Monday at midnight of the zone", () => {
    const ms = Date.parse("2026-11-29T12:00:00Z");
    const grid = calendarGrid("week", "Asia/Kathmandu", { sinceMs: ms, toMs: ms + 1 });
    expect(new Date(bucketStart(grid, ms)).toISOString()).toBe("2026-11-22T18:15:00.000Z");
  });

  it("counts exactly the buckets that it lists, and estimates at most two more", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...units),
        fc.constantFrom(...zones),
        moments(),
        fc.nat(400 * dayMs),
        (unit, zone, sinceMs, lengthMs) => {
          const span = { sinceMs, toMs: sinceMs + lengthMs };
          const grid = calendarGrid(unit, zone, span);
          const count = countBuckets(grid, span);
          expect([...bucketStarts(grid, span)].length).toBe(count);
          expect(estimateBuckets(unit, span)).toBeLessThanOrEqual(count + 2);
        },
      ),
    );
  });

  it("has few runs for decades of hours, days and weeks", () => {
    const span = { sinceMs: beginMs, toMs: endMs };
    for (const unit of ["hour", "day", "week"] as const) {
      expect(calendarGrid(unit, "Europe/Berlin", span).length).toBeLessThan(120);
    }
  });
});

describe("timeZoneNamed", () => {
  it("accepts names of the IANA database, and the empty name as UTC", () => {
    expect(timeZoneNamed("")).toBe("UTC");
    expect(timeZoneNamed("europe/berlin")).toBe("Europe/Berlin");
    expect(() => timeZoneNamed("Europe/Atlantis")).toThrow("calendar.time_zone");
  });
});

describe("fixedGrid", () => {
  it("is aligned to 1970, whole weeks to Monday, and to a requested origin", () => {
    const ms = Date.parse("2026-11-29T12:34:56Z");
    const start = (sizeMs: number, originMs?: number): string =>
      new Date(bucketStart(fixedGrid(sizeMs, originMs), ms)).toISOString();
    expect(start(hourMs)).toBe("2026-11-29T12:00:00.000Z");
    expect(start(7 * dayMs)).toBe("2026-11-23T00:00:00.000Z");
    expect(start(14 * dayMs)).toBe("2026-11-23T00:00:00.000Z");
    expect(start(hourMs, 15 * minuteMs)).toBe("2026-11-29T12:15:00.000Z");
    expect(start(hourMs, Date.parse("2030-01-01T00:40:00Z"))).toBe("2026-11-29T11:40:00.000Z");
  });
});
