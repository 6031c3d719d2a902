import { describe, expect, it } from "vitest";
import { boundStaleAfterMs, createRetentionBound } from "./retention-bound.ts";

const mood = { sensor: "mood", unit: "%" };

describe("the retention bound", () => {
  function setUp() {
    const time = { nowMs: 0 };
    return { time, bound: createRetentionBound({ sensors: [mood], monotonicMs: () => time.nowMs }) };
  }

  it("accepts nothing before it is known", () => {
    const { bound } = setUp();
    expect(bound.isKnown()).toBe(false);
    expect(() => bound.acceptedSinceMs()).toThrow(expect.objectContaining({ code: "UNAVAILABLE" }));
    bound.confirm({ acceptedSinceMs: Number.NEGATIVE_INFINITY }, 0);
    expect(bound.acceptedSinceMs()).toBe(Number.NEGATIVE_INFINITY);
  });

  it("never goes back, whatever is read later", () => {
    const { bound } = setUp();
    for (const ms of [1000, 3000, 2000, Number.NEGATIVE_INFINITY]) bound.confirm({ acceptedSinceMs: ms }, 0);
    expect(bound.acceptedSinceMs()).toBe(3000);
  });

  it("is not used without a recent confirmation, until it is confirmed again", () => {
    const { time, bound } = setUp();
    bound.confirm({ acceptedSinceMs: 1000 }, 0);
    time.nowMs = boundStaleAfterMs;
    expect(bound.acceptedSinceMs()).toBe(1000);
    time.nowMs += 1;
    expect(() => bound.acceptedSinceMs()).toThrow(expect.objectContaining({ code: "UNAVAILABLE" }));
    bound.confirm({ acceptedSinceMs: 1000 }, time.nowMs);
    expect(bound.acceptedSinceMs()).toBe(1000);
  });

  it("accepts nothing while the mesh has another unit of a sensor, and reports which", () => {
    const { bound } = setUp();
    const confirm = (unit?: string) =>
      bound.confirm({ acceptedSinceMs: 1000, sensorUnits: unit ? [{ ...mood, unit }] : undefined }, 0);
    confirm("smiles");
    confirm();
    expect(bound.isKnown()).toBe(false);
    expect(() => bound.acceptedSinceMs()).toThrow(
      expect.objectContaining({
        code: "UNAVAILABLE",
        message: expect.stringContaining("mood is recorded in smiles, not in %"),
      }),
    );
    confirm("%");
    expect(bound.isKnown()).toBe(true);
    expect(bound.acceptedSinceMs()).toBe(1000);
  });
});
