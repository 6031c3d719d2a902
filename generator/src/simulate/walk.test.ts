import { sensors } from "@devicemesh/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDevices, deviceType } from "./devices.ts";
import { createWalk } from "./walk.ts";

function valuesOf({
  count,
  seed,
  ticks,
  intervalMs = 1000,
}: {
  count: number;
  seed: bigint;
  ticks: number;
  intervalMs?: number;
}) {
  const walk = createWalk({ devices: createDevices(count), intervalMs, seed });
  const values: number[][] = Array.from({ length: count }, () => []);
  for (let tick = 0; tick < ticks; tick++)
    for (let index = 0; index < count; index++) values[index]!.push(walk.next(index));
  return values;
}

describe("devices", () => {
  it("takes the types of the contract in turn and numbers the devices from 1", () => {
    const devices = createDevices(6);
    expect(devices.ids).toEqual([
      "thermostat-0001",
      "barometer-0002",
      "hygrometer-0003",
      "heart-rate-meter-0004",
      "thermostat-0005",
      "barometer-0006",
    ]);
    expect([0, 1, 2, 3, 4].map(deviceType)).toEqual([
      "thermostat",
      "barometer",
      "hygrometer",
      "heart_rate_meter",
      "thermostat",
    ]);
  });
});

describe("walk", () => {
  it("plays the same values for the same seed, however many devices there are", () => {
    const few = valuesOf({ count: 5, seed: 7n, ticks: 50 });
    const many = valuesOf({ count: 40, seed: 7n, ticks: 50 });
    expect(many.slice(0, 5)).toEqual(few);
  });

  it("plays other values for another seed, and for each device of a type", () => {
    const a = valuesOf({ count: 8, seed: 7n, ticks: 20 });
    const b = valuesOf({ count: 8, seed: 8n, ticks: 20 });
    const high = valuesOf({ count: 8, seed: 7n + (1n << 40n), ticks: 20 });
    for (let index = 0; index < 8; index++) {
      expect(b[index]).not.toEqual(a[index]);
      expect(high[index]).not.toEqual(a[index]);
    }
    for (let index = 0; index < 4; index++) expect(a[index + 4]).not.toEqual(a[index]);
  });

  it("stays inside the sensor's range for any seed and interval", () => {
    const seeds = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(seeds, fc.integer({ min: 10, max: 86_400_000 }), (seed, intervalMs) => {
        for (const [index, values] of valuesOf({ count: 8, seed, ticks: 200, intervalMs }).entries()) {
          const { minimum, maximum } = sensors[index % sensors.length]!;
          for (const value of values) expect(value >= minimum && value <= maximum).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("wanders: values differ, and steps from one second to the next are small", () => {
    const values = valuesOf({ count: 4, seed: 3n, ticks: 3600 });
    const largestStep = values.map((own) =>
      Math.max(...own.slice(1).map((value, at) => Math.abs(value - own[at]!))),
    );
    const largestSteps = [0.3, 0.3, 1, 8];
    for (const [index, own] of values.entries()) {
      expect(new Set(own).size).toBeGreaterThan(10);
      expect(largestStep[index]).toBeLessThanOrEqual(largestSteps[index]!);
    }
    expect(values[3]!.every(Number.isInteger)).toBe(true);
    expect(Math.min(...values[3]!)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...values[3]!)).toBeLessThanOrEqual(180);
  });

  it("wanders around the sensor's typical value over many devices", () => {
    const values = valuesOf({ count: 400, seed: 11n, ticks: 20, intervalMs: 3_600_000 });
    const means = [0, 1, 2, 3].map((code) => {
      const own = values.filter((_, index) => index % 4 === code).flat();
      return own.reduce((sum, value) => sum + value, 0) / own.length;
    });
    expect(Math.abs(means[0]! - 20)).toBeLessThan(1.5);
    expect(Math.abs(means[1]! - 1013.25)).toBeLessThan(2.5);
    expect(Math.abs(means[2]! - 50)).toBeLessThan(4);
    expect(Math.abs(means[3]! - 85)).toBeLessThan(5);
  });
});
