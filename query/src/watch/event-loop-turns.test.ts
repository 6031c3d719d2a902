import { expect, it } from "vitest";
import { createLoopTurns } from "./event-loop-turns.ts";

it("resolves in order, few in each turn of the event loop", async () => {
  const turn = createLoopTurns(3);
  const done: number[] = [];
  const all = Array.from({ length: 10 }, (_, place) => turn().then(() => done.push(place)));
  const seen: number[] = [];
  while (done.length < all.length) {
    await new Promise(setImmediate);
    seen.push(done.length);
  }
  expect(done).toEqual(all.map((_, place) => place));
  for (const [place, count] of seen.entries()) expect(count - (seen[place - 1] ?? 0)).toBeLessThanOrEqual(3);
});
