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
});
