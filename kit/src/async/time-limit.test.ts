import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { cancelledAfter, TimeLimitError, unlessAborted, withinTime } from "./time-limit.ts";

describe("withinTime", () => {
  it("settles like the work", async () => {
    expect(await withinTime(Promise.resolve(7), { ms: 60_000, what: "it" })).toBe(7);
    await expect(withinTime(Promise.reject(new Error("no")), { ms: 60_000, what: "it" })).rejects.toThrow(
      "no",
    );
  });

  it("rejects after the limit, and ignores a later failure", async () => {
    const { promise, reject } = Promise.withResolvers<void>();
    const limited = withinTime(promise, { ms: 5, what: "the log" });
    await expect(limited).rejects.toThrow(TimeLimitError);
    await expect(limited).rejects.toThrow("the log: no answer within 5 ms");
    reject(new Error("too late"));
    await expect(promise).rejects.toThrow("too late");
  });
});

describe("cancelledAfter", () => {
  it("settles like the work, and never aborts its signal then", async () => {
    let seen: AbortSignal | undefined;
    const work = async (signal: AbortSignal) => {
      seen = signal;
      return 7;
    };
    expect(await cancelledAfter(work, { ms: 60_000, what: "it" })).toBe(7);
    expect(seen?.aborted).toBe(false);
  });

  it("cancels the work at the time limit, and does not wait for it", async () => {
    let seen: AbortSignal | undefined;
    const limited = cancelledAfter(
      (signal) => {
        seen = signal;
        return new Promise<never>(() => {});
      },
      { ms: 5, what: "Kafka" },
    );
    await expect(limited).rejects.toThrow("Kafka: no answer within 5 ms");
    expect(seen?.aborted).toBe(true);
  });

  it("cancels the rest of work if a part has failed", async () => {
    let seen: AbortSignal | undefined;
    const work = (signal: AbortSignal) => {
      seen = signal;
      return Promise.all([new Promise(() => {}), Promise.reject(new Error("refused"))]);
    };
    await expect(cancelledAfter(work, { ms: 60_000, what: "it" })).rejects.toThrow("refused");
    expect(seen?.aborted).toBe(true);
  });

  it("cancels the work with the caller's reason, and does not start it if the signal has already aborted", async () => {
    const caller = new AbortController();
    let begun = 0;
    const work = () => {
      begun++;
      return new Promise<never>(() => {});
    };
    const limited = cancelledAfter(work, { ms: 60_000, what: "it", signal: caller.signal });
    caller.abort(new Error("stopping"));
    await expect(limited).rejects.toThrow("stopping");
    await expect(cancelledAfter(work, { ms: 1, what: "it", signal: caller.signal })).rejects.toThrow(
      "stopping",
    );
    expect(begun).toBe(1);
  });
});

describe("unlessAborted", () => {
  it("settles like the work, and leaves no listener", async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve(7), signal)).toBe(7);
    await expect(unlessAborted(Promise.reject(new Error("refused")), signal)).rejects.toThrow("refused");
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("rejects with the reason of the signal, also if it has already aborted and the work fails later", async () => {
    const caller = new AbortController();
    const work = Promise.withResolvers<never>();
    const waiting = unlessAborted(work.promise, caller.signal);
    caller.abort(new Error("stopping"));
    await expect(waiting).rejects.toThrow("stopping");
    await expect(unlessAborted(work.promise, caller.signal)).rejects.toThrow("stopping");
    work.reject(new Error("too late"));
  });
});
