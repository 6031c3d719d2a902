import { expect, it } from "vitest";
import { createCommitPace } from "./commit-pace.ts";

it("does not hold up a commit after a quiet time", async () => {
  let now = 0;
  const pace = createCommitPace({ intervalMs: 1_000_000, monotonicMs: () => now });
  await pace.untilDue();
  now += 1_000_000;
  await pace.untilDue();
});

it("holds the next commit until it is hurried", async () => {
  const pace = createCommitPace({ intervalMs: 1_000_000, monotonicMs: () => 0 });
  await pace.untilDue();
  const order: string[] = [];
  const second = pace.untilDue().then(() => order.push("commit"));
  await new Promise((resolve) => setImmediate(resolve));
  order.push("hurry");
  pace.hurry();
  await second;
  expect(order).toEqual(["hurry", "commit"]);
});
