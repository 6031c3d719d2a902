import { describe, expect, it } from "vitest";
import { createReadSlots } from "./read-slots.ts";

const never = new AbortController().signal;

describe("slots for reads", () => {
  it("admit at most their number, and the next one in the order of the calls", async () => {
    const { take } = createReadSlots({ atOnceMax: 2, waitingMax: 9 });
    const frees = [await take(never), await take(never)];
    const entered: number[] = [];
    const later = [1, 2, 3].map(async (call) => {
      const free = await take(never);
      entered.push(call);
      return free;
    });
    await Promise.resolve();
    expect(entered).toEqual([]);
    frees[0]?.();
    // Releasing twice counts as once.
    frees[0]?.();
    const first = await later[0];
    expect(entered).toEqual([1]);
    frees[1]?.();
    await later[1];
    expect(entered).toEqual([1, 2]);
    first?.();
    await later[2];
    expect(entered).toEqual([1, 2, 3]);
  });

  it("reject a call if too many wait, with a delay for a retry", async () => {
    const { take } = createReadSlots({ atOnceMax: 1, waitingMax: 1 });
    const free = await take(never);
    const waiting = take(never);
    await expect(take(never)).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      details: [{ kind: "quotaFailure" }, { kind: "retryInfo", retryDelayMs: 2000 }],
    });
    free();
    (await waiting)();
    (await take(never))();
  });

  it("drop a call that stops waiting", async () => {
    const { take } = createReadSlots({ atOnceMax: 1, waitingMax: 1 });
    const free = await take(never);
    const caller = new AbortController();
    const gone = take(caller.signal);
    caller.abort(new Error("gone"));
    await expect(gone).rejects.toThrow("gone");
    const next = take(never);
    free();
    (await next)();
    (await take(never))();
  });
});
