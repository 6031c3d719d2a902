import { defaultLevels } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { levelsAbove } from "./mesh-definition.ts";

const windowsAbove = (windowMs: number, segmentMs: number): number[] =>
  levelsAbove({ windowMs, segmentMs }).map((level) => level.windowMs);

describe("the levels above a finest one", () => {
  it("are the default ones above the default one", () => {
    expect(levelsAbove(defaultLevels[0]!)).toEqual(defaultLevels);
  });

  it("leave out what is no multiple of the level below, in windows or in segments", () => {
    expect(windowsAbove(7000, 10_000)).toEqual([7000]);
    expect(windowsAbove(10_000, 7000)).toEqual([10_000]);
    expect(windowsAbove(3_600_000, 10_000)).toEqual([3_600_000, 86_400_000]);
    expect(windowsAbove(450_000, 10_000)).toEqual([450_000, 86_400_000]);
  });

  it("leave out what is no larger", () => {
    expect(windowsAbove(600_000, 10_000)).toEqual([600_000, 86_400_000]);
    expect(windowsAbove(86_400_000, 86_400_000)).toEqual([86_400_000]);
  });
});
