import { expect, it } from "vitest";
import { nodeStacks } from "./node-stacks.ts";

function node(id: number, functionName: string, url: string, children: readonly number[] = []) {
  const callFrame = { functionName, url, scriptId: "0", lineNumber: 9, columnNumber: 0 };
  return { id, callFrame, children: [...children] };
}

const profile = {
  startTime: 1000,
  endTime: 1100,
  nodes: [
    node(1, "(root)", "", [2, 3, 4]),
    node(2, "(idle)", ""),
    node(3, "(garbage collector)", ""),
    node(4, "decode", "file:///the/tree/ingest/src/wire/frame.ts", [5, 6]),
    node(5, "", "file:///the/tree/node_modules/@scope/package/lib/a.js", [7]),
    node(6, "onread", "node:internal/http2/core"),
    node(7, "writev", ""),
  ],
};

const stacksOf = (samples: number[], timeDeltas: number[], sinceMicros = 1000) =>
  nodeStacks({ profile: { ...profile, samples, timeDeltas }, sinceMicros }, "/the/tree");

it("weighs stacks with the time until the next sample, without idle time", () => {
  expect(stacksOf([2, 7, 7, 3, 6, 2], [0, 5, 10, 20, 3, 40])).toEqual([
    {
      frames: [
        "decode ingest/src/wire/frame.ts:10",
        "(anonymous) @scope/package/lib/a.js:10",
        "writev (native)",
      ],
      weight: 30,
    },
    { frames: ["(garbage collector)"], weight: 3 },
    { frames: ["decode ingest/src/wire/frame.ts:10", "onread node:internal/http2/core:10"], weight: 40 },
  ]);
});

it("counts samples from a time on", () => {
  const weights = (since: number) => stacksOf([3, 3, 3, 3], [1, 2, 4, 8], since).map(({ weight }) => weight);
  expect(weights(1000)).toEqual([14]);
  expect(weights(1001)).toEqual([14]);
  expect(weights(1002)).toEqual([12]);
  expect(weights(1007)).toEqual([8]);
  expect(weights(1008)).toEqual([]);
});

it("counts neither the last sample nor one whose successor was taken before it", () => {
  expect(stacksOf([3, 6], [7, -1])).toEqual([]);
  expect(nodeStacks({ profile, sinceMicros: 0 }, "/the/tree")).toEqual([]);
});
