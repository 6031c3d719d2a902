import { describe, expect, it } from "vitest";
import { createReadBudget } from "./read-budget.ts";

const never = new AbortController().signal;

/** Reads that end on request, and the order in which they began. */
function createReads(max: number) {
  const budget = createReadBudget(max);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    begun,
    ask(name: string, { isFirst = false, signal = never } = {}) {
      return budget.run({ isFirst, signal }, () => {
        begun.push(name);
        return new Promise<void>((resolve) => ends.set(name, resolve));
      });
    },
    async end(name: string) {
      ends.get(name)?.();
      // The next read begins in the following microtasks.
      await new Promise(setImmediate);
    },
  };
}

describe("createReadBudget", () => {
  it("runs at most its number of reads", async () => {
    const { ask, end, begun } = createReads(2);
    const asked = ["a", "b", "c", "d"].map((name) => ask(name));
    await new Promise(setImmediate);
    expect(begun).toEqual(["a", "b"]);
    await end("b");
    expect(begun).toEqual(["a", "b", "c"]);
    for (const name of ["a", "c", "d"]) await end(name);
    await Promise.all(asked);
  });

  it("runs first reads before later ones, but never two in a row while a later one waits", async () => {
    const { ask, end, begun } = createReads(1);
    const asked = [ask("running"), ask("later 1"), ask("later 2")];
    for (const name of ["first 1", "first 2", "first 3"]) asked.push(ask(name, { isFirst: true }));
    await new Promise(setImmediate);
    for (const name of ["running", "first 1", "later 1", "first 2", "later 2", "first 3"]) await end(name);
    await Promise.all(asked);
    expect(begun).toEqual(["running", "first 1", "later 1", "first 2", "later 2", "first 3"]);
  });

  it("drops a read whose signal aborts while it waits, and continues", async () => {
    const { ask, end, begun } = createReads(1);
    const running = ask("running");
    const leaving = new AbortController();
    const gone = ask("gone", { signal: leaving.signal });
    const waiting = ask("waiting");
    await new Promise(setImmediate);
    const reason = new Error("left");
    leaving.abort(reason);
    await expect(gone).rejects.toBe(reason);
    await end("running");
    await end("waiting");
    await Promise.all([running, waiting]);
    expect(begun).toEqual(["running", "waiting"]);
  });

  it("begins the next read after one that fails", async () => {
    const budget = createReadBudget(1);
    const failing = budget.run({ isFirst: true, signal: never }, () => Promise.reject(new Error("broken")));
    await expect(failing).rejects.toThrow("broken");
    expect(await budget.run({ isFirst: false, signal: never }, async () => "read")).toBe("read");
  });
});
