import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createZone } from "./zone.ts";

const zones = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/St_Johns",
  "Asia/Kolkata",
  "Australia/Lord_Howe",
  "Africa/Casablanca",
  "Pacific/Apia",
  "America/Sao_Paulo",
  "+05:45",
].map(createZone);

const instants = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2037, 0, 1) });

/** Returns the local time, as if it were UTC, by Node's own formatting. */
function shownAt(zone: string, ms: number): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(ms);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
}

describe("createZone", () => {
  it("finds every instant of a local time, and only those", () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), instants, (zone, ms) => {
        const instant = Math.floor(ms / 1000) * 1000;
        const found = zone.instantsOf(shownAt(zone.name, instant));
        expect(found).toContain(instant);
        for (const other of found) expect(shownAt(zone.name, other)).toBe(shownAt(zone.name, instant));
      }),
      { numRuns: 3000 },
    );
  });

  it("finds every instant around each change of the clock", () => {
    for (const zone of zones) {
      for (const year of [2010, 2011, 2018, 2025]) {
        for (let ms = Date.UTC(year, 0, 1); ms < Date.UTC(year + 1, 0, 1); ms += 86_400_000) {
          if (zone.instantsOf(ms).length === 1 && zone.instantsOf(ms + 86_400_000).length === 1) continue;
          for (let near = ms - 86_400_000; near < ms + 86_400_000; near += 1_800_000) {
            expect(zone.instantsOf(shownAt(zone.name, near))).toContain(near);
          }
        }
      }
    }
  });

  it("handles the hour that occurs twice and the hour that is skipped", () => {
    const berlin = createZone("Europe/Berlin");
    expect(berlin.instantsOf(Date.UTC(2025, 9, 26, 2, 30))).toEqual([
      Date.UTC(2025, 9, 26, 0, 30),
      Date.UTC(2025, 9, 26, 1, 30),
    ]);
    expect(berlin.instantsOf(Date.UTC(2025, 2, 30, 2, 30))).toEqual([]);
    expect(berlin.instantsOf(Date.UTC(2025, 2, 30, 3, 0))).toEqual([Date.UTC(2025, 2, 30, 1)]);
    // Changes of half an hour, and of a day.
    expect(createZone("Australia/Lord_Howe").instantsOf(Date.UTC(2025, 3, 6, 1, 45))).toHaveLength(2);
    expect(createZone("Pacific/Apia").instantsOf(Date.UTC(2011, 11, 30, 12))).toEqual([]);
  });

  it("rejects a name that is not a zone", () => {
    expect(() => createZone("Europe/Atlantis")).toThrow(RangeError);
  });
});
