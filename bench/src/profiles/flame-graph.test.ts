import { expect, it } from "vitest";
import { flameGraphSvg } from "./flame-graph.ts";
import type { Stack } from "./profilers/stacks.ts";

const graphOf = (stacks: readonly Stack[]) => ({
  title: "A title",
  subtitle: "of <a> profile",
  stacks,
  partOf: (frame: string) => (frame.startsWith("gc") ? "collector" : undefined),
  parts: ["collector", "other"],
});

type Drawn = {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly fill: string;
};

function framesOf(svg: string): Drawn[] {
  const frame =
    /<title>(.*?)<\/title><rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="15" fill="(#\w+)"/g;
  return [...svg.matchAll(frame)].map(([, name = "", x, y, width, fill = ""]) => {
    return { name, x: Number(x), y: Number(y), width: Number(width), fill };
  });
}

it("draws a frame as wide as its share, above its caller, with name and share as its tooltip", () => {
  const svg = flameGraphSvg(
    graphOf([
      { frames: ["main", "read<T>"], weight: 25 },
      { frames: ["main", "write", "copy"], weight: 50 },
      { frames: ["gc"], weight: 25 },
    ]),
  );
  const drawn = new Map(framesOf(svg).map((frame) => [frame.name, frame]));
  expect([...drawn.keys()]).toEqual([
    "gc: 25.0 %",
    "main: 75.0 %",
    "read&lt;T&gt;: 25.0 %",
    "write: 50.0 %",
    "copy: 50.0 %",
  ]);
  const [gc, main, read, write, copy] = [...drawn.values()];
  expect(main!.width).toBeCloseTo(1180 * 0.75, 0);
  expect(read!.width).toBeCloseTo(1180 * 0.25, 0);
  expect(main!.x).toBeCloseTo(10 + 1180 * 0.25, 0);
  expect(write!.x).toBeCloseTo(read!.x + 1180 * 0.25, 0);
  expect(main!.y - read!.y).toBe(16);
  expect(write!.y - copy!.y).toBe(16);
  expect(gc!.y).toBe(main!.y);
  expect(svg).toContain("of &lt;a&gt; profile");
});

it("colours a frame by its part, or by that of its caller", () => {
  const svg = flameGraphSvg(
    graphOf([
      { frames: ["gc", "copy"], weight: 1 },
      { frames: ["main"], weight: 1 },
    ]),
  );
  const [gc, copy, main] = framesOf(svg);
  expect(copy!.fill).toBe(gc!.fill);
  expect(main!.fill).not.toBe(gc!.fill);
});

it("adds up the same function called on the same path, and leaves out what has less than 0.2 %", () => {
  const svg = flameGraphSvg(
    graphOf([
      { frames: ["main", "b"], weight: 600 },
      { frames: ["main", "c"], weight: 396 },
      { frames: ["main", "c2"], weight: 2 },
      { frames: ["main", "d"], weight: 1 },
      { frames: ["main"], weight: 1 },
    ]),
  );
  expect(framesOf(svg).map(({ name }) => name)).toEqual([
    "main: 100.0 %",
    "b: 60.0 %",
    "c: 39.6 %",
    "c2: 0.2 %",
  ]);
});

it("stays below 200 KB, however many deep stacks there are, and leaves out the small ones", () => {
  const stacks = Array.from({ length: 100 }, (_, index) => ({
    frames: Array.from({ length: 60 }, (_, depth) => `org.example.package.Class${index}.method${depth}`),
    weight: 100 + index,
  }));
  const svg = flameGraphSvg(graphOf(stacks));
  expect(svg.length).toBeLessThanOrEqual(200_000);
  expect(svg.length).toBeGreaterThan(50_000);
  expect(svg).toContain("Class99.method59");
  expect(svg).not.toContain("Class0.method0");
});

it("draws 64 rows of a deep stack", () => {
  const frames = Array.from({ length: 200 }, (_, depth) => `call${depth}`);
  const drawn = framesOf(flameGraphSvg(graphOf([{ frames, weight: 1 }])));
  expect(drawn).toHaveLength(64);
  expect(drawn.at(-1)!.y).toBeGreaterThanOrEqual(62);
});

it("writes methods of Java without their packages", () => {
  const svg = flameGraphSvg(graphOf([{ frames: ["org.example.Plan$.run", "read src/a.ts:1"], weight: 1 }]));
  expect(svg).toContain(">Plan$.run</text>");
  expect(svg).toContain("<title>org.example.Plan$.run: 100.0 %</title>");
  expect(svg).toContain(">read src/a.ts:1</text>");
});

it("needs samples", () => {
  expect(() => flameGraphSvg(graphOf([]))).toThrow(RangeError);
});
