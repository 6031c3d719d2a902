import { defaultLevels } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { freshMesh } from "../../testing/mesh-fixture.ts";
import { configOf } from "../../testing/operator-fixture.ts";
import { meshOf } from "../settings.ts";
import { levelsAbove } from "./mesh-definition.ts";

const windowsAbove = (windowMs: number, segmentMs: number): number[] =>
  levelsAbove({ windowMs, segmentMs }).map((level) => level.windowMs);

describe("the levels above a finest one", () => {
  it("are the other default levels for the default finest level", () => {
    expect(levelsAbove(defaultLevels[0]!)).toEqual(defaultLevels);
  });

  it("leave out a level whose windows or segments are not multiples of the finer level", () => {
    expect(windowsAbove(7000, 10_000)).toEqual([7000]);
    expect(windowsAbove(10_000, 7000)).toEqual([10_000]);
    expect(windowsAbove(3_600_000, 10_000)).toEqual([3_600_000, 86_400_000]);
    expect(windowsAbove(450_000, 10_000)).toEqual([450_000, 86_400_000]);
  });

  it("leave out a level that is not larger", () => {
    expect(windowsAbove(600_000, 10_000)).toEqual([600_000, 86_400_000]);
    expect(windowsAbove(86_400_000, 86_400_000)).toEqual([86_400_000]);
  });
});

describe("the retention of a mesh", () => {
  const config = configOf(freshMesh({ kafkaBrokers: [], connectUrl: "", mongodbUrl: "", brokers: 1 }));
  const hours = (count: number): number => count * 3_600_000;

  it("is set by the flags, for the levels that the mesh has", () => {
    const flags = { retainRaw: hours(1), retain10s: hours(2), retain10min: hours(3), retain1day: hours(4) };
    expect(meshOf({ ...config, ...flags }).retention).toEqual({
      rawMs: hours(1),
      levelsMs: [hours(2), hours(3), hours(4)],
    });
    expect(meshOf({ ...config, ...flags, window: hours(1) }).retention.levelsMs).toEqual([
      hours(2),
      hours(4),
    ]);
  });

  it("is rejected, with the names of the flags, if a coarser level would end before a finer one", () => {
    const wrong = { retain10s: hours(2), retain10min: hours(1) };
    expect(() => meshOf({ ...config, ...wrong })).toThrow(
      "--retain-10s must be at least as long as --retain-raw",
    );
    expect(() => meshOf({ ...config, ...wrong, retainRaw: 1 })).toThrow(
      "--retain-10min must be at least as long as --retain-10s",
    );
  });
});
