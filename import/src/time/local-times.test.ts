import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLocalTimes } from "./local-times.ts";
import { createZone } from "./zone.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"].map(
  createZone,
);
const berlin = zones[0]!;

const formats = new Map(
  zones.map(({ name }) => [
    name,
    new Intl.DateTimeFormat("sv-SE", { timeZone: name, dateStyle: "short", timeStyle: "medium" }),
  ]),
);

/** Returns the local time of the zone, as if it were UTC. */
function shownAt(zone: string, ms: number): number {
  return Date.parse(`${formats.get(zone)!.format(ms).replace(" ", "T")}Z`);
}

const setBack: Readonly<Record<string, number>> = {
  "Europe/Berlin": Date.UTC(2025, 9, 26, 1),
  "America/New_York": Date.UTC(2025, 10, 2, 6),
  "Australia/Lord_Howe": Date.UTC(2025, 3, 5, 15),
  "Africa/Casablanca": Date.UTC(2025, 1, 23, 2),
};

describe("createLocalTimes", () => {
  it("finds every instant of a series in order, across the hour that occurs twice", () => {
    const cases = fc.record({
      zone: fc.constantFrom(...zones),
      stepMinutes: fc.integer({ min: 1, max: 60 }),
      startMinutes: fc.integer({ min: 61, max: 600 }),
      descending: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ zone, stepMinutes, startMinutes, descending }) => {
        const change = setBack[zone.name]!;
        const instants: number[] = [];
        // At least one whole step before the hours in question, so that the direction is known.
        for (let at = -startMinutes - 120; at < startMinutes + 120; at += stepMinutes) {
          instants.push(change + at * minuteMs);
        }
        if (descending) instants.reverse();
        const times = createLocalTimes(zone);
        // The longest steps that order can decide are as long as the repeated time itself.
        if (zone.name === "Australia/Lord_Howe" && stepMinutes > 30) return;
        for (const instant of instants) {
          expect(times.resolve("a", shownAt(zone.name, instant))).toBe(instant);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("resolves each series separately", () => {
    const times = createLocalTimes(berlin);
    const local = (hour: number, minute: number) => Date.UTC(2025, 9, 26, hour, minute);
    for (const series of ["a", "b"]) times.resolve(series, local(0, 30));
    for (const series of ["a", "b"]) times.resolve(series, local(1, 30));
    for (const pass of [0, 1]) {
      for (const series of ["a", "b"]) {
        expect(times.resolve(series, local(2, 30))).toBe(Date.UTC(2025, 9, 26, pass, 30));
      }
    }
    expect(times.repeated()).toEqual({ first: 2, second: 2 });
  });

  it("resolves two equal rows to the same instant if steps are short", () => {
    const times = createLocalTimes(berlin);
    const shown = [1.9, 2, 2, 2.1, 2.9, 2, 2.1].map((hour) =>
      times.resolve("a", Date.UTC(2025, 9, 26) + Math.round(hour * 60) * minuteMs),
    );
    const start = Date.UTC(2025, 9, 26);
    expect(shown.map((ms) => Math.round(((ms - start) / hourMs) * 10) / 10)).toEqual([
      -0.1, 0, 0, 0.1, 0.9, 1, 1.1,
    ]);
  });

  it("rejects times that the order does not decide, and times that do not exist", () => {
    const times = createLocalTimes(berlin);
    const repeated = Date.UTC(2025, 9, 26, 2, 30);
    expect(times.resolve("first row", repeated)).toBeNaN();
    expect(times.problem()).toContain("comes twice in Europe/Berlin");
    for (const day of [1, 5, 3]) times.resolve("unordered", Date.UTC(2025, 9, day));
    expect(times.resolve("unordered", repeated)).toBeNaN();
    expect(times.resolve("any", Date.UTC(2025, 2, 30, 2, 30))).toBeNaN();
    expect(times.problem()).toContain("does not exist in Europe/Berlin");
  });

  it("never returns an instant with another local time", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.array(fc.integer({ min: -200, max: 200 }), { maxLength: 30 }),
        (zone, minutes) => {
          const times = createLocalTimes(zone);
          for (const minute of minutes) {
            const local = shownAt(zone.name, setBack[zone.name]! + minute * minuteMs);
            const instant = times.resolve("a", local);
            if (!Number.isNaN(instant)) expect(shownAt(zone.name, instant)).toBe(local);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
