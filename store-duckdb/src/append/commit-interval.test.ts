import { expect, it } from "vitest";
import { createCommitInterval } from "./commit-clock.ts";

function intervalAt(startMs: number) {
  const time = { nowMs: startMs };
  return { time, interval: createCommitInterval({ monotonicMs: () => time.nowMs }) };
}

/** Whether the next commit may begin without waiting. */
async function isDue(interval: ReturnType<typeof createCommitInterval>): Promise<boolean> {
  let due = false;
  const waiting = interval.untilDue().then(() => {
    due = true;
  });
  // Microtasks only: a timer of the last millisecond could fire in an iteration of the event loop.
  for (let round = 0; round < 20; round++) await Promise.resolve();
  const answer = due;
  interval.hurry();
  await waiting;
  return answer;
}

it("does not delay a commit after an idle time", async () => {
  const { interval, time } = intervalAt(0);
  expect(await isDue(interval)).toBe(true);
  interval.began({ readings: 100, appends: 1 });
  time.nowMs += 10;
  expect(await isDue(interval)).toBe(true);
});

it("delays the next commit until it is due, or requested", async () => {
  const { interval } = intervalAt(0);
  interval.began({ readings: 1, appends: 1 });
  expect(await isDue(interval)).toBe(false);
});

it("waits longer after a larger commit, up to a limit", async () => {
  const { interval, time } = intervalAt(0);
  interval.began({ readings: 5_000, appends: 50 });
  time.nowMs = 49;
  expect(await isDue(interval)).toBe(false);
  time.nowMs = 50;
  expect(await isDue(interval)).toBe(true);
  interval.began({ readings: 1_000_000, appends: 10_000 });
  time.nowMs = 50 + 119;
  expect(await isDue(interval)).toBe(false);
  time.nowMs = 50 + 120;
  expect(await isDue(interval)).toBe(true);
});

it("waits a little longer after a commit of many appends, however few readings they have", async () => {
  const { interval, time } = intervalAt(0);
  interval.began({ readings: 80, appends: 80 });
  time.nowMs = 19;
  expect(await isDue(interval)).toBe(false);
  time.nowMs = 20;
  expect(await isDue(interval)).toBe(true);
  interval.began({ readings: 1000, appends: 1000 });
  time.nowMs = 20 + 24;
  expect(await isDue(interval)).toBe(false);
  time.nowMs = 20 + 25;
  expect(await isDue(interval)).toBe(true);
});
