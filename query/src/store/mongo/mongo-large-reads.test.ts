import type { Db } from "mongodb";
import { describe, expect, it } from "vitest";
import { createLargeReads } from "./mongo-large-reads.ts";

/** The part of the driver that a large read uses, and the sessions that it requested to kill. */
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
  it("is ended in the database when its caller cancels, and keeps its slot until it has ended", async () => {
    const { db, killed } = fakeDatabase();
    const large = createLargeReads(db, one);
    const caller = new AbortController();
    const work = Promise.withResolvers<string>();
    const abandoned = large(caller.signal, () => work.promise);
    // Entered, not only requested.
    await new Promise(setImmediate);
    caller.abort(new Error("the caller is gone"));
    await expect(abandoned).rejects.toThrow("the caller is gone");
    expect(killed).toEqual([[{ id: "session 1" }]]);

    // The caller retries: this adds no work to the database.
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

  it("that takes too long is ended in the same way, with DEADLINE_EXCEEDED", async () => {
    const { db, killed } = fakeDatabase();
    const large = createLargeReads(db, { ...one, limit: { timeoutMs: 10, isQuick: false } });
    const work = Promise.withResolvers<string>();
    await expect(large(never, () => work.promise)).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(killed).toHaveLength(1);
    work.resolve("late");
    // Its slot is free again, and a small read is not delayed.
    expect(await large(never, async () => "answer")).toBe("answer");
  });

  it("releases its slot when it fails", async () => {
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
