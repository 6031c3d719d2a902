import { describe, expect, it } from "vitest";
import {
  aimedAt,
  type FrontierState,
  type LogPlaces,
  movedTo,
  nextStep,
  proposedFrontier,
  reachedFrontier,
} from "./frontier.ts";

const at = (windows: number, deadLetters: number): LogPlaces => ({
  windows: new Map([["windows/0", windows]]),
  deadLetters: new Map([["letters/0", deadLetters]]),
});
const resting: FrontierState = { frontierMs: 20_000 };

describe("proposedFrontier", () => {
  it("is the last segment end that the watermark and the sink of messages have both passed", () => {
    const observation = { watermarkMs: 47_000, completeThroughMs: 39_999 };
    expect(proposedFrontier(resting, observation, 10_000)).toBe(30_000);
    expect(proposedFrontier(resting, { ...observation, completeThroughMs: 40_000 }, 10_000)).toBe(40_000);
    expect(proposedFrontier(resting, { watermarkMs: 30_000, completeThroughMs: 99_000 }, 10_000)).toBe(
      30_000,
    );
  });

  it("is undefined while one of the two is unknown, or not after the frontier", () => {
    expect(
      proposedFrontier(resting, { watermarkMs: undefined, completeThroughMs: 99_000 }, 10_000),
    ).toBeUndefined();
    expect(
      proposedFrontier(resting, { watermarkMs: 99_000, completeThroughMs: undefined }, 10_000),
    ).toBeUndefined();
    expect(
      proposedFrontier(resting, { watermarkMs: 29_999, completeThroughMs: 99_000 }, 10_000),
    ).toBeUndefined();
  });

  it("is undefined while the frontier has a target", () => {
    const observation = { watermarkMs: 90_000, completeThroughMs: 90_000 };
    expect(proposedFrontier(aimedAt(resting, 30_000, at(5, 5)), observation, 10_000)).toBeUndefined();
  });
});

describe("reachedFrontier", () => {
  const aimed = aimedAt(resting, 30_000, at(5, 7));

  it("waits for the sink of windows and for the reader of dead letters", () => {
    expect(reachedFrontier(aimed, at(4, 7))).toBeUndefined();
    expect(reachedFrontier(aimed, at(5, 6))).toBeUndefined();
    expect(reachedFrontier(aimed, at(5, 7))).toBe(30_000);
  });

  it("waits for every partition that is not empty", () => {
    const ends: LogPlaces = {
      windows: new Map([
        ["windows/0", 5],
        ["windows/1", 0],
        ["windows/2", 1],
      ]),
      deadLetters: new Map([["letters/0", 0]]),
    };
    const target = aimedAt(resting, 30_000, ends);
    const none = new Map<string, number>();
    expect(
      reachedFrontier(target, { windows: new Map([["windows/0", 5]]), deadLetters: none }),
    ).toBeUndefined();
    const windows = new Map([
      ["windows/0", 6],
      ["windows/2", 1],
    ]);
    expect(reachedFrontier(target, { windows, deadLetters: none })).toBe(30_000);
  });

  it("is undefined without a target", () => {
    expect(reachedFrontier(resting, at(99, 99))).toBeUndefined();
  });
});

describe("movedTo", () => {
  it("never goes back, and keeps a target that is still ahead", () => {
    expect(movedTo(resting, 10_000)).toEqual({ frontierMs: 20_000 });
    expect(movedTo(aimedAt(resting, 50_000, at(1, 1)), 30_000)).toEqual({
      frontierMs: 30_000,
      target: { toMs: 50_000, ends: at(1, 1) },
    });
    expect(movedTo(aimedAt(resting, 30_000, at(1, 1)), 30_000)).toEqual({ frontierMs: 30_000 });
  });
});

describe("nextStep", () => {
  const way = { frontierMs: 20, toMs: 95, firstMs: 20, stepMs: 30 };

  it("continues from the frontier, no further than allowed", () => {
    expect(nextStep(way)).toEqual({ sinceMs: 20, toMs: 50 });
    expect(nextStep({ ...way, frontierMs: 80, firstMs: 80 })).toEqual({ sinceMs: 80, toMs: 95 });
  });

  it("skips time without partials, however long", () => {
    expect(nextStep({ ...way, frontierMs: 0, firstMs: 60 })).toEqual({ sinceMs: 60, toMs: 90 });
    expect(nextStep({ ...way, frontierMs: 0, firstMs: undefined })).toEqual({ sinceMs: 95, toMs: 95 });
    expect(nextStep({ ...way, frontierMs: 0, firstMs: 200 })).toEqual({ sinceMs: 95, toMs: 95 });
  });
});
