import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { indexDefinitions } from "@devicemesh/operator";
import { collections, type FrontierDocument, type MessageDocument } from "@devicemesh/pipeline";
import { alignDown, defaultLevels, identityOf } from "@devicemesh/proto";
import { type CommandStartedEvent, type Document, MongoClient } from "mongodb";
import { describe, expect, it } from "vitest";
import { messageDocument } from "../../../testing/mongo/mongo-documents-fixture.ts";
import { openMeshFixture } from "../../../testing/mongo/mongo-mesh-fixture.ts";
import { readTimeframe } from "../../answer/read-timeframe.ts";
import { createMongoReadingStore } from "./mongo-reading-store.ts";

const engines = await testEngines();
const url = engines?.mongodbUrl ?? "";

/**
 * Ten minutes of readings, one a second of each device, since the frontier stopped. With 1,000 devices, 600,000
 * readings, the database takes 24 s for an answer on a busy machine, and p99 is 0.5 s once they are folded.
 */
const devices = 100;
const tailSeconds = 600;

describe.skipIf(!engines)("the tail of a frontier that has stopped", () => {
  it("is folded by query: answers read only the last segment from the database, and are much faster", {
    timeout: 600_000,
  }, async () => {
    const mesh = await openMeshFixture({ url, indexes: indexDefinitions({ levels: defaultLevels }) });
    const client = new MongoClient(url, { monitorCommands: true });
    try {
      const frontierMs = alignDown(mesh.nowMs(), 600_000);
      const nowMs = frontierMs + tailSeconds * 1000 + 4321;
      const messages = mesh.db.collection<MessageDocument>(collections.messages);
      for (let second = 0; second < tailSeconds; second += 5) {
        const documents = Array.from({ length: devices * 5 }, (_, place): MessageDocument => {
          const timestampMs = frontierMs + (second + Math.floor(place / devices)) * 1000;
          const reading = {
            deviceId: `device-${place % devices}`,
            sensor: "temperature" as const,
            timestampMs,
            value: (place * 7 + second) % 50,
            arrivedMs: timestampMs + 300,
          };
          return messageDocument(identityOf(reading), reading, 0);
        });
        await messages.insertMany(documents, { ordered: false });
      }
      await mesh.db.collection<FrontierDocument>(collections.frontier).updateOne(
        { _id: "frontier" },
        {
          $set: {
            complete_through: new Date(nowMs),
            frontiers: defaultLevels.map(({ segmentMs }) => new Date(alignDown(frontierMs, segmentMs))),
          },
        },
      );
      const reads: Document[] = [];
      client.on("commandStarted", ({ command }: CommandStartedEvent) => {
        if (command.aggregate === collections.messages) reads.push(command.pipeline[0].$match.arrived);
      });
      const store = createMongoReadingStore({
        db: client.db(mesh.db.databaseName),
        clock: () => nowMs,
        horizonCacheMs: 0,
      });
      const { signal } = new AbortController();
      const lastSegmentMs = alignDown(nowMs, 10_000);
      const ask = async (filter: { readonly deviceIds: readonly string[] }, sinceMs: number) => {
        const timeframe = { sinceMs, toMs: frontierMs + 1_200_000 };
        const begunMs = performance.now();
        const read = await readTimeframe(
          store,
          { filter: { ...filter, sensors: [] }, timeframe, mergeDevices: true },
          signal,
        );
        return {
          tookMs: performance.now() - begunMs,
          count: read.partials.reduce((sum, { count }) => sum + count, 0),
        };
      };
      const firstMs = (await ask({ deviceIds: [] }, frontierMs - 600_000)).tookMs;
      await waitUntil(
        async () => {
          await store.readHorizon(signal);
          return reads.some((arrived) => arrived?.$gte?.getTime() === lastSegmentMs - 10_000 && arrived.$lt);
        },
        { timeoutMs: 300_000, everyMs: 200, what: "every closed segment is folded" },
      );
      const times: number[] = [];
      reads.length = 0;
      for (let question = 0; question < 40; question++) {
        const deviceIds = question % 4 === 0 ? [`device-${question}`] : [];
        const { tookMs, count } = await ask({ deviceIds }, frontierMs - 600_000);
        times.push(tookMs);
        expect(count).toBe((deviceIds.length || devices) * tailSeconds);
      }
      // The last closed segment may still have been on its way with the first of them.
      expect(reads.slice(-20)).toEqual(Array(20).fill({ $gte: new Date(lastSegmentMs) }));
      expect(times.sort((a, b) => a - b)[20]).toBeLessThan(firstMs / 2);
      store.close();
    } finally {
      await client.close();
      await mesh.close();
    }
  });
});
