import { describe, expect, it } from "vitest";
import { TimeLimitError, withinTime } from "./time-limit.ts";

describe("withinTime", () => {
  it("settles as the work does", async () => {
    expect(await withinTime(Promise.resolve(7), { ms: 60_000, what: "it" })).toBe(7);
    await expect(withinTime(Promise.reject(new Error("no")), { ms: 60_000, what: "it" })).rejects.toThrow(
      "no",
    );
  });

  it("gives up after the limit, and lets a later failure be", async () => {
    const { promise, reject } = Promise.withResolvers<void>();
    const limited = withinTime(promise, { ms: 5, what: "the log" });
    await expect(limited).rejects.toThrow(TimeLimitError);
    await expect(limited).rejects.toThrow("the log: no answer within 5 ms");
    reject(new Error("too late"));
    await expect(promise).rejects.toThrow("too late");
  });
});
