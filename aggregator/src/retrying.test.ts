import { describe, expect, it } from "vitest";
import { retrying } from "./retrying.ts";

describe("retrying", () => {
  it("reports each failure and returns the first success", async () => {
    const failures: unknown[] = [];
    let attempts = 0;
    const attempt = async () => {
      if (++attempts < 2) throw new Error(`attempt ${attempts}`);
      return attempts;
    };
    const { signal } = new AbortController();
    expect(await retrying(attempt, { signal, onFailure: (error) => failures.push(error) })).toBe(2);
    expect(failures).toEqual([new Error("attempt 1")]);
  });

  it("ends as soon as the signal aborts: before, during and between attempts", async () => {
    const reported: unknown[] = [];
    const onFailure = (error: unknown): void => void reported.push(error);
    const before = AbortSignal.abort(new Error("before"));
    await expect(retrying(async () => 1, { signal: before, onFailure })).rejects.toThrow("before");

    const during = new AbortController();
    const endless = retrying(() => new Promise(() => {}), { signal: during.signal, onFailure });
    during.abort(new Error("during"));
    await expect(endless).rejects.toThrow("during");
    expect(reported).toEqual([]);

    const between = new AbortController();
    const failing = retrying(
      async () => {
        throw new Error("unavailable");
      },
      {
        signal: between.signal,
        onFailure: () => between.abort(new Error("between")),
      },
    );
    await expect(failing).rejects.toThrow();
  });
});
