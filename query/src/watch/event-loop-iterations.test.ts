import { expect, it } from "vitest";
import { createLoopIterations } from "./event-loop-iterations.ts";

it("resolves waiting calls in order, few in each iteration of the event loop", async () => {
  const nextIteration = createLoopIterations(3);
  const done: number[] = [];
  const all = Array.from({ length: 10 }, (_, place) => nextIteration().then(() => done.push(place)));
  const seen: number[] = [];
  while (done.length < all.length) {
    await new Promise(setImmediate);
    seen.push(done.length);
  }
  expect(done).toEqual(all.map((_, place) => place));
  for (const [place, count] of seen.entries()) expect(count - (seen[place - 1] ?? 0)).toBeLessThanOrEqual(3);
});
