import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { startLoop } from "./loop.ts";

const noFailure = (error: unknown): never => {
  throw error;
};

describe("startLoop", () => {
  it("runs one step after another, never two at once", async () => {
    let running = 0;
    let most = 0;
    let steps = 0;
    const loop = startLoop({
      intervalMs: 1,
      async step() {
        most = Math.max(most, ++running);
        await new Promise(setImmediate);
        running--;
        steps++;
      },
      onFailure: noFailure,
    });
    await waitUntil(() => steps > 5);
    await loop[Symbol.asyncDispose]();
    expect(most).toBe(1);
  });

  it("reports a failure and continues", async () => {
    const failures: unknown[] = [];
    let steps = 0;
    const loop = startLoop({
      intervalMs: 1,
      async step() {
        if (++steps === 2) throw new Error("once");
      },
      onFailure: (error) => failures.push(error),
    });
    await waitUntil(() => steps > 3);
    await loop[Symbol.asyncDispose]();
    expect(failures).toEqual([new Error("once")]);
  });

  it("waits for the running step when it is disposed, and runs no other", async () => {
    const step = Promise.withResolvers<void>();
    let begun = 0;
    const loop = startLoop({
      intervalMs: 1,
      step() {
        begun++;
        return step.promise;
      },
      onFailure: noFailure,
    });
    await waitUntil(() => begun === 1);
    let isDisposed = false;
    const disposing = Promise.resolve(loop[Symbol.asyncDispose]()).then(() => {
      isDisposed = true;
    });
    await new Promise(setImmediate);
    expect(isDisposed).toBe(false);
    step.resolve();
    await disposing;
    expect(begun).toBe(1);
  });

  it("starts the next step when it is woken, not only after its interval", async () => {
    let steps = 0;
    await using loop = startLoop({
      intervalMs: 3_600_000,
      async step() {
        steps++;
      },
      onFailure: noFailure,
    });
    for (let woken = 1; woken <= 3; woken++) {
      await waitUntil(() => steps === woken);
      loop.wake();
    }
    await waitUntil(() => steps === 4);
  });

  it("runs a step once more if it is woken while the step runs", async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let begun = 0;
    await using loop = startLoop({
      intervalMs: 3_600_000,
      step: () => gates[begun++]?.promise ?? Promise.resolve(),
      onFailure: noFailure,
    });
    await waitUntil(() => begun === 1);
    loop.wake();
    loop.wake();
    gates[0]?.resolve();
    await waitUntil(() => begun === 2);
    gates[1]?.resolve();
    for (let round = 0; round < 10; round++) await new Promise(setImmediate);
    expect(begun).toBe(2);
  });

  it("keeps the delay after a failure, however often it is woken", async () => {
    let begun = 0;
    await using loop = startLoop({
      intervalMs: 3_600_000,
      async step() {
        begun++;
        throw new Error("unavailable");
      },
      onFailure: () => {},
    });
    await waitUntil(() => begun === 1);
    for (let round = 0; round < 10; round++) {
      loop.wake();
      await new Promise(setImmediate);
    }
    expect(begun).toBe(1);
  });

  it("waits after a success for as long as dueInMs returns", async () => {
    const delays = [0, 0, 3_600_000];
    let steps = 0;
    await using _loop = startLoop({
      intervalMs: 3_600_000,
      dueInMs: () => delays[steps - 1] as number,
      async step() {
        steps++;
      },
      onFailure: noFailure,
    });
    await waitUntil(() => steps === 3);
  });
});
