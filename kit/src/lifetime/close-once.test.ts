import { describe, expect, it } from "vitest";
import { closeOnce } from "./close-once.ts";

describe("closeOnce", () => {
  it("runs the work at the first call only, and returns its promise to every caller", async () => {
    const work = Promise.withResolvers<string>();
    const calls: number[] = [];
    const close = closeOnce((limitMs: number) => {
      calls.push(limitMs);
      return work.promise;
    });
    expect(close.isClosing).toBe(false);
    const first = close(5);
    const second = close(7);
    expect(close.isClosing).toBe(true);
    expect(second).toBe(first);
    work.resolve("closed");
    expect(await close(9)).toBe("closed");
    expect(calls).toEqual([5]);
  });

  it("rejects every caller with the failure of the work, without running it again", async () => {
    let calls = 0;
    const close = closeOnce(async () => {
      calls++;
      throw new Error("no");
    });
    await expect(close()).rejects.toThrow("no");
    await expect(close()).rejects.toThrow("no");
    expect(calls).toBe(1);
  });
});
