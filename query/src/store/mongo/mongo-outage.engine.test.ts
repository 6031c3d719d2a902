import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { createTcpProxy } from "@devicemesh/kit/testing/tcp-proxy";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { indexDefinitions } from "@devicemesh/operator";
import { collections, type RetentionDocument, retentionDocument } from "@devicemesh/pipeline";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import { defaultLevels, nothingDeleted } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { openMeshFixture } from "../../../testing/mongo/mongo-mesh-fixture.ts";
import { readTimeframe } from "../../answer/read-timeframe.ts";
import { allTime } from "../../plan/planner.ts";
import { watchReach } from "../store-reachability.ts";
import { createMongoReadingStore } from "./mongo-reading-store.ts";

const engines = await testEngines();
const url = engines?.mongodbUrl ?? "";
const indexes = indexDefinitions({ levels: defaultLevels });

describe.skipIf(!engines)("a database that becomes unavailable and recovers", () => {
  it("makes answers UNAVAILABLE, and then exact again without a restart", async () => {
    const mesh = await openMeshFixture({ url, indexes });
    const { hostname, port } = new URL(url);
    await using proxy = createTcpProxy({ hostname, port: Number(port) });
    await using connection = openMongo({
      url: `mongodb://127.0.0.1:${await proxy.listen()}/?directConnection=true`,
      database: mesh.db.databaseName,
      appName: "query-test",
    });
    const store = createMongoReadingStore({ db: connection.db, clock: mesh.nowMs });
    const { signal } = new AbortController();
    const ask = () =>
      readTimeframe(store, { filter: { deviceIds: [], sensors: [] }, timeframe: allTime }, signal);
    const seen: string[] = [];
    try {
      await mesh.publish([{ deviceId: "a", sensor: "temperature", timestampMs: mesh.nowMs(), value: 20 }]);
      await using _reach = watchReach(store, {
        everyMs: 100,
        onChange: (error) => seen.push(error === undefined ? "there" : "unavailable"),
      });
      expect((await ask()).coverage.fromRaw).toBe(1);
      proxy.cut();
      await waitUntil(() => seen.includes("unavailable"), { what: "the outage of the database is noticed" });
      await expect(ask()).rejects.toMatchObject({ code: "UNAVAILABLE" });
      proxy.restore();
      await waitUntil(() => seen.at(-1) === "there", { timeoutMs: 15_000, what: "its recovery" });
      expect((await ask()).coverage.fromRaw).toBe(1);
      expect(seen).toEqual(["there", "unavailable", "there"]);
    } finally {
      await mesh.close();
    }
  });
});

describe.skipIf(!engines)("raw readings that expire", () => {
  it.each(["of a mesh without marks, by its settings", "by the marks, whatever the settings are now"])(
    "are left out of ragged edges and named, where windows still cover the rest: %s",
    async (how) => {
      const hourMs = 3_600_000;
      const isMarked = how.startsWith("by the marks");
      const mesh = await openMeshFixture({ url, indexes, ...(!isMarked && { retainRawMs: hourMs }) });
      const { signal } = new AbortController();
      const filter = { deviceIds: [], sensors: [] };
      try {
        const [inEdge, inWindow] = [mesh.nowMs() - 3 * hourMs, mesh.nowMs() - 2 * hourMs];
        await mesh.publish(
          [inEdge, inWindow].map((timestampMs) => ({
            deviceId: "a",
            sensor: "temperature",
            timestampMs,
            value: 20,
          })),
        );
        mesh.advance(20_000);
        await mesh.fold();
        const sinceMs = inEdge - 1;
        if (isMarked) {
          const marks = mesh.db.collection<RetentionDocument>(collections.retention);
          await marks.insertOne(
            retentionDocument({ ...nothingDeleted(defaultLevels), rawMs: inEdge + 600_000 }),
          );
        }
        const { partials, coverage } = await readTimeframe(
          mesh.store,
          { filter, timeframe: { sinceMs, toMs: mesh.nowMs() } },
          signal,
        );
        expect(partials.map(({ firstAtMs }) => firstAtMs)).toEqual([inWindow]);
        const edgeEndMs = Math.ceil(sinceMs / 10_000) * 10_000;
        expect(coverage.notCovered).toEqual([{ sinceMs, toMs: edgeEndMs }]);
      } finally {
        await mesh.close();
      }
    },
  );
});
