import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { collections } from "@devicemesh/pipeline";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import { Long } from "mongodb";
import { expect, it } from "vitest";
import { horizonDocuments } from "../../../testing/mongo/mongo-horizon-documents.ts";
import { startMongoWire } from "../../../testing/mongo/mongo-wire-fixture.ts";
import { readTimeframe } from "../../answer/read-timeframe.ts";
import { createMongoReadingStore } from "./mongo-reading-store.ts";

const nowMs = Date.UTC(2026, 10, 23, 20, 4, 20);

const documents = horizonDocuments({
  nowMs,
  frontierMs: nowMs - 86_400_000,
  fields: { coarse_pure_since: new Date(0) },
});

it("an answer takes two round trips to the database, and one while the horizon is recent", async () => {
  // Aggregations are never answered: every command that arrives was sent without waiting for them.
  await using wire = await startMongoWire(({ find }) => {
    if (find === undefined) return undefined;
    const found = documents[find as string];
    return { cursor: { id: Long.ZERO, ns: `test.${find}`, firstBatch: found ? [found] : [] } };
  });
  await using connection = openMongo({ url: wire.url, database: "test", appName: "test" });
  const store = createMongoReadingStore({ db: connection.db, clock: () => nowMs, horizonCacheMs: 60_000 });
  const caller = new AbortController();
  const timeframe = { sinceMs: nowMs - 5 * 86_400_000 - 1234, toMs: nowMs };
  const filter = { deviceIds: ["a"], sensors: [] };
  const collectionsOf = (name: string) =>
    new Set(wire.commands.map((command) => command[name]).filter(Boolean));

  const first = readTimeframe(store, { filter, timeframe }, caller.signal).catch(
    (error: Error) => error.message,
  );
  await waitUntil(() => collectionsOf("aggregate").size === 5);
  expect(collectionsOf("find")).toEqual(
    new Set([collections.settings, collections.frontier, collections.retention]),
  );
  expect(collectionsOf("aggregate")).toContain(collections.duplicateWindows);
  expect(collectionsOf("aggregate")).toContain(collections.messages);

  const sent = wire.commands.length;
  const second = readTimeframe(store, { filter, timeframe }, caller.signal).catch(
    (error: Error) => error.message,
  );
  await waitUntil(() => wire.commands.length > sent);
  expect(wire.commands.slice(sent).filter((command) => "find" in command)).toEqual([]);
  caller.abort(new Error("the test has ended"));
  expect(await Promise.all([first, second])).toEqual(["the test has ended", "the test has ended"]);
});
