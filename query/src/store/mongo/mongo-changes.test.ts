import type { Db } from "mongodb";
import { expect, it } from "vitest";
import { createChangeWatch } from "./mongo-changes.ts";

/** A database that returns a count on request, and has no newest reading. */
function createCountingDb() {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<number>();
  const newest = { sort: () => newest, limit: () => newest, project: () => newest, toArray: async () => [] };
  const collection = {
    estimatedDocumentCount() {
      asked.resolve();
      return answer.promise;
    },
    find: () => newest,
  };
  return {
    db: { collection: () => collection } as unknown as Db,
    asked: asked.promise,
    answer: answer.resolve,
  };
}

it("a watch of changes yields for readings stored during its first poll, which an earlier read may lack", async () => {
  const { db, asked, answer } = createCountingDb();
  const leaving = new AbortController();
  const watchChanges = createChangeWatch({ db, closed: new AbortController().signal });
  const changes = watchChanges(leaving.signal)[Symbol.asyncIterator]();
  const first = changes.next();
  await asked;
  // A reading is stored after the caller has read, and is counted in the first response already.
  answer(1);
  expect((await first).done).toBe(false);
  // From then on there is nothing new.
  const next = changes.next();
  const none = Symbol("no change");
  expect(await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 50, none))])).toBe(none);
  leaving.abort();
  expect((await next).done).toBe(true);
});
