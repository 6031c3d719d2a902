import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { openTestDatabase } from "../../testing/mongo-test-database.ts";
import { startElection } from "./leader-election.ts";
import { createMongoLease } from "./mongo-lease.ts";

const engines = await testEngines();
const levels = [{ windowMs: 10_000, segmentMs: 10_000 }];
const openDatabase = () => openTestDatabase({ mongodbUrl: engines?.mongodbUrl ?? "", levels });

describe.skipIf(!engines)("the lease in MongoDB", () => {
  it("has one holder, who can renew it, and another after it has expired", async () => {
    await using database = await openDatabase();
    const lease = (holder: string) =>
      createMongoLease({ db: database.db, name: "test", holder, durationMs: 500 });
    const [a, b] = [lease("a"), lease("b")];
    expect(await a.take()).toEqual({ isHeld: true, holder: "a" });
    expect(await b.take()).toEqual({ isHeld: false, holder: "a" });
    expect(await a.take()).toEqual({ isHeld: true, holder: "a" });
    await waitUntil(async () => (await b.take()).isHeld, { what: "the lease of a has run out" });
    expect(await a.take()).toEqual({ isHeld: false, holder: "b" });
  });

  it("is free as soon as its holder releases it, and not before", async () => {
    await using database = await openDatabase();
    const lease = (holder: string) =>
      createMongoLease({ db: database.db, name: "test", holder, durationMs: 60_000 });
    const [a, b] = [lease("a"), lease("b")];
    await a.take();
    await b.release();
    expect((await b.take()).isHeld).toBe(false);
    await a.release();
    expect((await b.take()).isHeld).toBe(true);
  });

  it("has one holder if many request it at the same time", async () => {
    await using database = await openDatabase();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, place) =>
        createMongoLease({
          db: database.db,
          name: "test",
          holder: `${place}`,
          durationMs: 60_000,
        }).take(),
      ),
    );
    expect(answers.filter(({ isHeld }) => isHeld)).toHaveLength(1);
    expect(new Set(answers.filter(({ isHeld }) => !isHeld).map(({ holder }) => holder)).size).toBe(1);
  });

  it("passes from a killed holder to a waiting candidate within ten seconds", async () => {
    await using database = await openDatabase();
    const dying = createMongoLease({ db: database.db, name: "test", holder: "dying", durationMs: 7000 });
    await dying.take();
    await using waiting = startElection({
      lease: createMongoLease({ db: database.db, name: "test", holder: "waiting", durationMs: 7000 }),
      start: async () => ({ [Symbol.asyncDispose]: async () => {} }),
      onFailure(error) {
        throw error;
      },
    });
    await waitUntil(() => waiting.holder === "dying", { what: "the one that waits has asked" });
    await waitUntil(() => waiting.active !== undefined, { timeoutMs: 10_000, what: "it is active" });
  });
});
