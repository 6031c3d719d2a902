import { expect, it } from "vitest";
import { createBenchReadings, disorder } from "./readings.ts";

const readings = createBenchReadings(40_000);

it("sends every distinct reading at least once, and some of them twice", () => {
  const sent = new Set(readings.sent);
  expect(sent).toEqual(new Set(readings.distinct));
  const twice = (readings.sent.length - readings.distinct.length) / readings.distinct.length;
  expect(twice).toBeCloseTo(disorder.duplicateShare, 1);
});

it("has each timestamp of a device once", () => {
  const identities = readings.distinct.map(({ deviceId, timestampMs }) => `${deviceId} ${timestampMs}`);
  expect(new Set(identities).size).toBe(identities.length);
});

it("sends some readings after later ones of the same device", () => {
  const latest = new Map<string, number>();
  let behind = 0;
  for (const { deviceId, timestampMs } of readings.sent) {
    const before = latest.get(deviceId) ?? Number.NEGATIVE_INFINITY;
    if (timestampMs < before) behind++;
    latest.set(deviceId, Math.max(before, timestampMs));
  }
  expect(behind / readings.sent.length).toBeGreaterThan(disorder.lateShare / 2);
});

it("generates the same readings every time", () => {
  expect(createBenchReadings(40_000)).toEqual(readings);
});
