import { expect, it } from "vitest";
import { createRandom } from "../load/fleet.ts";
import { createTailFleet } from "./tail-fleet.ts";

it("counts the readings of any span like a pass over them", () => {
  const frontierMs = Date.UTC(2026, 0, 1);
  const fleet = createTailFleet(30, frontierMs);
  const readings = Array.from({ length: 20 }, (_, second) => fleet.readingsOf(second)).flat();
  expect(new Set(readings.map(({ deviceId, timestampMs }) => `${deviceId} ${timestampMs}`)).size).toBe(600);
  expect(readings.every(({ arrivedMs }) => arrivedMs >= frontierMs)).toBe(true);
  const random = createRandom(1);
  for (let times = 0; times < 200; times++) {
    const sinceMs = frontierMs + Math.floor(random() * 20_000);
    const toMs = sinceMs + Math.floor(random() * (frontierMs + 20_000 - sinceMs));
    const found = readings.filter(({ timestampMs }) => timestampMs >= sinceMs && timestampMs < toMs);
    expect(fleet.countIn(sinceMs, toMs)).toBe(found.length);
  }
});
