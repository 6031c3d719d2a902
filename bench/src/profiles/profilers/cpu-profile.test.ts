import { expect, it } from "vitest";
import { cpuProfile } from "./cpu-profile.ts";

it("scales samples to the CPU time of the sampled threads, and shows the others as one frame each", () => {
  const samples = [
    { frames: ["a", "b"], weight: 30 },
    { frames: ["a"], weight: 10 },
  ];
  const times = new Map([
    ["main", 200],
    ["V8's threads", 50],
    ["none", 0],
  ]);
  expect(cpuProfile(samples, times, "main")).toEqual({
    stacks: [
      { frames: ["a", "b"], weight: 150 },
      { frames: ["a"], weight: 50 },
      { frames: ["(V8's threads)"], weight: 50 },
    ],
    cpuMs: 250,
  });
});

it("fails without samples", () => {
  expect(() => cpuProfile([], new Map([["main", 200]]), "main")).toThrow("no thread at work");
});
