import type { Db } from "mongodb";
import { describe, expect, it } from "vitest";
import { createLargeReads } from "./mongo-large-reads.ts";

/** What a large read needs of the driver, and the sessions that it asked to kill. */
function fakeDatabase() {
  const killed: unknown[] = [];
  let sessions = 0;
  const client = {
    startSession() {
      sessions += 1;
      return { id: { id: `session ${sessions}` }, endSession: async () => {} };
    },
  };
  const command = async (text: { readonly killSessions?: unknown }) => void killed.push(text.killSessions);
  return { db: { client, command } as unknown as Db, killed };
}

const never = new AbortController().signal;
const one = { atOnceMax: 1, waitingMax: 1 };

describe("a large read", () => {
  it("whose caller is gone is ended in the database, and keeps its place until it has ended", async () => {
    const { db, killed } = fakeDatabase();
    const large = createLargeReads(db, one);
    const caller = new AbortController();
    const work = Promise.withResolvers<string>();
    const abandoned = large(caller.signal, () => work.promise);
    // Entered, not only asked for.
    await new Promise(setImmediate);
    caller.abort(new Error("the caller is gone"));
    await expect(abandoned).rejects.toThrow("the caller is gone");
    expect(killed).toEqual([[{ id: "session 1" }]]);

    // The caller asks again: nothing is added to what the database does.
    let isAsked = false;
    const again = large(never, async () => {
      isAsked = true;
      return "answer";
    });
    await new Promise(setImmediate);
    expect(isAsked).toBe(false);
    work.reject(new Error("operation was interrupted"));
    expect(await again).toBe("answer");
    expect(killed).toHaveLength(1);
  });

  it("that takes too long is ended likewise, and told as too slow", async () => {
    const { db, killed } = fakeDatabase();
    const large = createLargeReads(db, { ...one, limit: { timeoutMs: 10, isQuick: false } });
    const work = Promise.withResolvers<string>();
    await expect(large(never, () => work.promise)).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(killed).toHaveLength(1);
    work.resolve("late");
    // Its place is free again, and a quick read is not late.
    expect(await large(never, async () => "answer")).toBe("answer");
  });

  it("gives its place back when it fails", async () => {
    const { db } = fakeDatabase();
    const large = createLargeReads(db, one);
    await expect(
      large(never, async () => {
        throw new Error("no such collection");
      }),
    ).rejects.toThrow("no such collection");
    expect(await large(never, async () => "answer")).toBe("answer");
  });
});
