import { describe, expect, it } from "vitest";
import { createBruteForce, createPeerQuestions, isExact } from "./questions.ts";
import { createBenchReadings } from "./readings.ts";

const at = (timestampMs: number, value: number, deviceId = "a") => ({
  deviceId,
  sensor: "temperature",
  timestampMs,
  value,
});

describe("createBruteForce", () => {
  const answer = createBruteForce([at(1000, 1), at(2000, 4), at(3000, 10), at(2500, 7, "b")]);

  it("includes the start of a timeframe and excludes its end", () => {
    expect(answer({ sensor: "temperature", deviceId: "a", sinceMs: 1000, toMs: 3000 })).toEqual({
      count: 2,
      average: 2.5,
      minimum: 1,
      maximum: 4,
    });
  });

  it("takes all devices if none is named", () => {
    expect(answer({ sensor: "temperature", sinceMs: 2000, toMs: 3000 })).toEqual({
      count: 2,
      average: 5.5,
      minimum: 4,
      maximum: 7,
    });
  });

  it("has no figures where there is no reading", () => {
    expect(answer({ sensor: "pressure", sinceMs: 0, toMs: 9000 })).toEqual({ count: 0 });
  });
});

describe("isExact", () => {
  const right = { count: 3, average: 10, minimum: 1, maximum: 20 };

  it("accepts an average that differs in its last digits only", () => {
    expect(isExact({ ...right, average: 10 + 1e-12 }, right)).toBe(true);
  });

  it.each([
    ["a reading too many", { ...right, count: 4 }],
    ["another average", { ...right, average: 10.0001 }],
    ["another minimum", { ...right, minimum: 1.0000001 }],
    ["another maximum", { ...right, maximum: 19.9 }],
    ["no figures", { count: 3 }],
  ])("rejects %s", (_, answer) => {
    expect(isExact(answer, right)).toBe(false);
  });
});

it("queries one series and all series alternately, within the time of the readings", () => {
  const readings = createBenchReadings(40_000);
  const questions = createPeerQuestions(readings, 100).map(({ question }) => question);
  expect(questions.filter(({ deviceId }) => deviceId !== undefined)).toHaveLength(50);
  for (const { sinceMs, toMs } of questions) {
    expect(sinceMs).toBeGreaterThanOrEqual(readings.sinceMs);
    expect(toMs).toBeLessThanOrEqual(readings.toMs + 1000);
    expect(toMs).toBeGreaterThan(sinceMs);
  }
});
