import { builtInSensors, sensors } from "@devicemesh/proto";
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
  it("uses the types of the contract in turn and numbers the devices from 1", () => {
    const devices = createDevices(sensors.length + 1);
    expect(devices.ids.slice(0, 4)).toEqual([
      "thermostat-0001",
      "barometer-0002",
      "hygrometer-0003",
      "heart-rate-meter-0004",
    ]);
    const types = devices.ids.map((_, index) => deviceType(devices, index));
    expect(types).toEqual([...sensors.map((spec) => spec.deviceType), "thermostat"]);
  });

  it("uses any sensors of the catalog in turn", () => {
    const simulated = ["noise", "temperature"].map((name) =>
      builtInSensors.findIndex(({ sensor }) => sensor === name),
    );
    const devices = createDevices(3, "x-", { sensors: builtInSensors, simulated });
    expect(devices.ids).toEqual(["x-noise-0001", "x-thermostat-0002", "x-noise-0003"]);
    expect(deviceType(devices, 0)).toBe("noise");
    const walk = createWalk({ devices, intervalMs: 1000, seed: 1n });
    expect(walk.next(0)).toBeGreaterThan(30);
  });

  it("stay within bounds that a catalog narrows, also outside typical values", () => {
    const [thermometer] = sensors;
    for (const bounds of [
      { minimum: 19.5, maximum: 20.5 },
      { minimum: 900, maximum: 1400 },
    ]) {
      const devices = createDevices(4, "", { sensors: [{ ...thermometer!, ...bounds }], simulated: [0] });
      const walk = createWalk({ devices, intervalMs: 60_000, seed: 5n });
      for (let tick = 0; tick < 400; tick++) {
        const value = walk.next(tick % 4);
        expect(value >= bounds.minimum && value <= bounds.maximum).toBe(true);
      }
    }
  });
});

describe("walk", () => {
  it("returns the same values for the same seed, for any number of devices", () => {
    const few = valuesOf({ count: 5, seed: 7n, ticks: 50 });
    const many = valuesOf({ count: 40, seed: 7n, ticks: 50 });
    expect(many.slice(0, 5)).toEqual(few);
  });

  it("returns other values for another seed, and for each device of a type", () => {
    const a = valuesOf({ count: 8, seed: 7n, ticks: 20 });
    const b = valuesOf({ count: 8, seed: 8n, ticks: 20 });
    const high = valuesOf({ count: 8, seed: 7n + (1n << 40n), ticks: 20 });
    for (let index = 0; index < 8; index++) {
      expect(b[index]).not.toEqual(a[index]);
      expect(high[index]).not.toEqual(a[index]);
    }
    const ofType = valuesOf({ count: 2 * sensors.length, seed: 7n, ticks: 20 });
    for (let index = 0; index < sensors.length; index++) {
      expect(ofType[index + sensors.length]).not.toEqual(ofType[index]);
    }
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

  it("returns values that differ, with small steps from one second to the next", () => {
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

  it("varies around the sensor's typical value over many devices", () => {
    const values = valuesOf({ count: 100 * sensors.length, seed: 11n, ticks: 20, intervalMs: 3_600_000 });
    const means = [0, 1, 2, 3].map((code) => {
      const own = values.filter((_, index) => index % sensors.length === code).flat();
      return own.reduce((sum, value) => sum + value, 0) / own.length;
    });
    expect(Math.abs(means[0]! - 20)).toBeLessThan(1.5);
    expect(Math.abs(means[1]! - 1013.25)).toBeLessThan(2.5);
    expect(Math.abs(means[2]! - 50)).toBeLessThan(4);
    expect(Math.abs(means[3]! - 85)).toBeLessThan(5);
  });
});
