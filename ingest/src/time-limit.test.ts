import { describe, expect, it } from "vitest";
import { TimeLimitError, withinTime } from "./time-limit.ts";

describe("withinTime", () => {
  it("settles as the work does", async () => {
    expect(await withinTime(Promise.resolve(7), 60_000)).toBe(7);
    await expect(withinTime(Promise.reject(new Error("no")), 60_000)).rejects.toThrow("no");
  });

  it("gives up after the limit, and lets a later failure be", async () => {
    const { promise, reject } = Promise.withResolvers<void>();
    await expect(withinTime(promise, 5)).rejects.toThrow(TimeLimitError);
    reject(new Error("too late"));
    await expect(promise).rejects.toThrow("too late");
  });
});
