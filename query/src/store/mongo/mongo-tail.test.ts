import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { collections } from "@devicemesh/pipeline";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import { alignDown } from "@devicemesh/proto";
import { type Document, Long } from "mongodb";
import { expect, it } from "vitest";
import { horizonDocuments } from "../../../testing/mongo/mongo-horizon-documents.ts";
import { startMongoWire } from "../../../testing/mongo/mongo-wire-fixture.ts";
import { readTimeframe } from "../../answer/read-timeframe.ts";
import { createMongoReadingStore } from "./mongo-reading-store.ts";

const nowMs = Date.UTC(2026, 10, 23, 20, 4, 27);
const frontierMs = alignDown(nowMs, 60_000) - 600_000;
const closedMs = alignDown(nowMs, 10_000);

const documents = horizonDocuments({ nowMs, frontierMs });

/** A row of one reading, like the database groups it. */
function rowOf(deviceId: string, timestampMs: number, bucketMs: number): Document {
  const t = new Date(timestampMs);
  return {
    _id: { d: deviceId, s: "temperature", b: bucketMs },
    count: 1,
    sum: 20,
    lowest: { v: 20, t },
    highest: { v: 20, t: -timestampMs },
    first: { t, v: 20 },
    last: { t, v: 20 },
    m2: 0,
  };
}

it("folds the tail of a stopped frontier once, and reads only what has arrived since from the database", async () => {
  const arrivals: { readonly $gte?: Date; readonly $lt?: Date }[] = [];
  await using wire = await startMongoWire(({ find, aggregate, pipeline }) => {
    const answer = (name: unknown, firstBatch: readonly Document[]): Document => ({
      cursor: { id: Long.ZERO, ns: `test.${name}`, firstBatch },
    });
    if (find !== undefined) return answer(find, [documents[find as string] ?? []].flat());
    if (aggregate !== collections.messages) return answer(aggregate, []);
    const { arrived } = (pipeline as Document[])[0]?.$match ?? {};
    if (!arrived) return answer(aggregate, []);
    arrivals.push(arrived);
    const atMs = (arrived.$gte as Date).getTime();
    // One reading for each segment, and one that has just arrived.
    return answer(aggregate, [rowOf("a", atMs + 1, arrived.$lt ? alignDown(atMs, 10_000) : 0)]);
  });
  await using connection = openMongo({ url: wire.url, database: "test", appName: "test" });
  const store = createMongoReadingStore({ db: connection.db, clock: () => nowMs, horizonCacheMs: 0 });
  const { signal } = new AbortController();
  await store.readHorizon(signal);
  const segments = (closedMs - frontierMs) / 10_000;
  const timeframe = { sinceMs: frontierMs - 600_000, toMs: alignDown(nowMs, 600_000) + 600_000 };
  const filter = { deviceIds: [], sensors: [] };
  const ask = () => readTimeframe(store, { filter, timeframe }, signal);
  // Until the last segment is folded, its readings come from the database with every answer.
  await waitUntil(async () => {
    const { partials } = await ask();
    expect(partials[0]).toMatchObject({ deviceId: "a" });
    return arrivals.at(-1)?.$gte?.getTime() === closedMs;
  });
  expect(arrivals.filter(({ $lt }) => $lt)).toHaveLength(segments);
  const sent = arrivals.length;
  for (let question = 1; question <= 3; question++) {
    const { partials, coverage } = await ask();
    expect(partials).toMatchObject([{ deviceId: "a", count: segments + 1, fromRaw: segments + 1 }]);
    expect(coverage.completeThroughMs).toBe(nowMs);
    expect(arrivals.slice(sent)).toEqual(Array(question).fill({ $gte: new Date(closedMs) }));
  }
  store.close();
});
