import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { conversionOf, relatedUnits, unitOf } from "./units.ts";

const convert = (value: number, from: string, to: string) => conversionOf(from, to)?.(value);

describe("conversionOf", () => {
  it.each<[number, string, string, number]>([
    [212, "°F", "°C", 100],
    [-40, "fahrenheit", "celsius", -40],
    [300.1, "K", "°C", 26.95],
    [102_613.7, "Pa", "hPa", 1026.137],
    [101.325, "kPa", "hPa", 1013.25],
    [1013.25, "mbar", "hPa", 1013.25],
    [1, "atm", "hPa", 1013.25],
    [0.45, "fraction", "%", 45],
    [36, "km/h", "m/s", 10],
    [1, "kn", "km/h", 1.852],
    [1, "in", "mm", 25.4],
    [1, "kWh", "MJ", 3.6],
    [2300, "mV", "V", 2.3],
    [0.5, "mg/m3", "µg/m³", 500],
    [400, "ppm", "%", 0.04],
    [72, "bpm", "1/min", 72],
    [3, "furlong", "furlong", 3],
  ])("converts %d %s to %s", (value, from, to, expected) => {
    expect(convert(value, from, to)).toBe(expected);
  });

  it.each<[number, string, number]>([
    [29.92, "inHg", 1013.207_481_190_027_2],
    [760, "mmHg", 1013.250_144_354],
    [14.696, "psi", 1013.253_531_804_022_3],
  ])("converts %d %s to hPa by its definition", (value, unit, expected) => {
    expect(convert(value, unit, "hPa")! / expected).toBeCloseTo(1, 12);
  });

  it("rejects units of other quantities, and unknown units", () => {
    expect(conversionOf("°C", "hPa")).toBeUndefined();
    expect(conversionOf("Pa", "°C")).toBeUndefined();
    expect(conversionOf("furlong", "m")).toBeUndefined();
    expect(unitOf("mw")).toBeUndefined();
    expect([unitOf("mW")?.name, unitOf("MW")?.name, unitOf("pa")?.name]).toEqual(["mW", "MW", "Pa"]);
  });

  it("converts there and back to the same value, between all related units", () => {
    const units = ["hPa", "°C", "m/s", "mm", "%", "kg", "kWh", "µg/m³", "L/min"].flatMap((unit) =>
      relatedUnits(unit).map((other) => [unit, other] as const),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...units),
        fc.double({ min: 0.01, max: 1e5, noNaN: true }),
        ([a, b], value) => {
          const back = convert(convert(value, a, b)!, b, a)!;
          expect(Math.abs(back - value)).toBeLessThanOrEqual(1e-9 + value * 1e-13);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
