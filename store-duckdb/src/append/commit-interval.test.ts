import { expect, it } from "vitest";
import { createCommitInterval } from "./commit-clock.ts";

function paceAt(startMs: number) {
  const time = { nowMs: startMs };
  return { time, pace: createCommitInterval({ monotonicMs: () => time.nowMs }) };
}

/** Whether the next commit may begin without waiting. */
async function isDue(pace: ReturnType<typeof createCommitInterval>): Promise<boolean> {
  let due = false;
  const waiting = pace.untilDue().then(() => {
    due = true;
  });
  // Microtasks only: a timer of the last millisecond could fire in a turn of the event loop.
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  const answer = due;
  pace.hurry();
  await waiting;
  return answer;
}

it("does not delay a commit after an idle time", async () => {
  const { pace, time } = paceAt(0);
  expect(await isDue(pace)).toBe(true);
  pace.began(100);
  time.nowMs += 10;
  expect(await isDue(pace)).toBe(true);
});

it("delays the next commit until it is due, or requested", async () => {
  const { pace } = paceAt(0);
  pace.began(1);
  expect(await isDue(pace)).toBe(false);
});

it("waits longer after a larger commit, up to a limit", async () => {
  const { pace, time } = paceAt(0);
  pace.began(5_000);
  time.nowMs = 49;
  expect(await isDue(pace)).toBe(false);
  time.nowMs = 50;
  expect(await isDue(pace)).toBe(true);
  pace.began(1_000_000);
  time.nowMs = 50 + 119;
  expect(await isDue(pace)).toBe(false);
  time.nowMs = 50 + 120;
  expect(await isDue(pace)).toBe(true);
});
