import { expect, it } from "vitest";
import { createRestartDelays } from "./restart-delays.ts";

it("doubles the delay each time that a process dies soon, up to a limit, and is zero after a long run", () => {
  const delays = createRestartDelays();
  expect(Array.from({ length: 8 }, () => delays.after(10))).toEqual([
    250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000,
  ]);
  expect(delays.after(60_000)).toBe(0);
  expect(delays.after(10)).toBe(250);
});
