import { createClient, createRouterTransport } from "@connectrpc/connect";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { createErrorInterceptor } from "@devicemesh/kit/rpc/connect-status";
import { indexDefinitions } from "@devicemesh/operator";
import {
  collections,
  type MessageDocument,
  type PartialDocument,
  partialsCollection,
} from "@devicemesh/pipeline";
import { alignDown, type DeviceMessage, defaultLevels, identityOf, type Level } from "@devicemesh/proto";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { queryRoutes } from "@devicemesh/query";
import { openMeshFixture } from "@devicemesh/query/testing/mongo/mongo-mesh-fixture";
import { describeExactAnswers } from "@devicemesh/query/testing/oracle/index";
import { describe, expect, it } from "vitest";
import { createMongoStore } from "../store/mongo-store.ts";

const engines = await testEngines();
const database = {
  url: engines?.mongodbUrl ?? "",
  indexes: indexDefinitions({ levels: defaultLevels }),
  isCoarsePure: true,
};

/** A mesh whose coarse levels the aggregator folds. Quantiles of more than three readings come from its sketches. */
async function openMesh() {
  // Partials of the fixture have no sketches, so all sketches are the aggregator's.
  const mesh = await openMeshFixture({ ...database, isSketched: () => false });
  const store = createMongoStore({ db: mesh.db, levels: defaultLevels, clock: mesh.nowMs });
  const foldedMs = defaultLevels.map(() => 0);
  const routes = queryRoutes({ store: mesh.store, clock: mesh.nowMs, exactQuantilesMax: 3 });
  const transport = createRouterTransport(routes, {
    router: { interceptors: [createErrorInterceptor({ logger: silentLogger() })] },
  });
  return {
    ...mesh,
    aggregator: store,
    query: createClient(QueryService, transport),
    async fold() {
      await mesh.fold();
      for (const [level, { windowMs, segmentMs }] of defaultLevels.entries()) {
        if (level === 0) continue;
        const toMs = mesh.frontiersMs()[level] as number;
        const partials = mesh.db.collection<PartialDocument>(partialsCollection(level, windowMs));
        const found: Date[] = await partials.distinct("segment_start", {
          segment_start: { $gte: new Date(foldedMs[level] as number), $lt: new Date(toMs) },
        });
        for (const segment of found) {
          const sinceMs = segment.getTime();
          const fold = { level, sinceMs, toMs: sinceMs + segmentMs, isPure: level === 1 };
          expect(await store.foldSegment(fold)).toBe(true);
        }
        foldedMs[level] = toMs;
      }
    },
  };
}

describe.skipIf(!engines)("percentiles over windows of the aggregator", () => {
  describeExactAnswers("MongoDB with the aggregator's sketches", openMesh, {
    runs: 4,
    manySeries: 300,
    timeoutMs: 240_000,
  });

  it("count messages that Spark dropped, which are in no partial and no sketch", async () => {
    const mesh = await openMesh();
    try {
      const [finest] = defaultLevels as [Level];
      const startMs = mesh.nowMs() - 3_600_000;
      const readings = Array.from(
        { length: 40 },
        (_, place): DeviceMessage => ({
          deviceId: "a",
          sensor: "temperature",
          timestampMs: startMs + place * 60_000,
          value: 20,
        }),
      );
      await mesh.publish(readings);
      const arrived = new Date(mesh.nowMs());
      for (const advanceMs of [700_000, 2 * 86_400_000]) {
        mesh.advance(advanceMs);
        await mesh.fold();
      }
      const late = Array.from({ length: 60 }, (_, place) => ({
        ...(readings[0] as DeviceMessage),
        timestampMs: startMs + 1 + place,
        value: 30,
      }));
      await mesh.db.collection<MessageDocument>(collections.messages).insertMany(
        late.map((message, place) => ({
          _id: identityOf(message),
          device_id: message.deviceId,
          sensor: message.sensor,
          timestamp: new Date(message.timestampMs),
          value: message.value,
          arrived,
          offset: 1000 + place,
        })),
      );
      const median = async () => {
        const { rows } = await mesh.query.getAggregates({ quantiles: [0.5] });
        return rows.map(({ count, quantiles }) => [Number(count), quantiles[0]?.value]);
      };
      expect((await median())[0]?.[1]).toBeCloseTo(20, 1);
      await mesh.aggregator.publishFrontier({ coarsePureSinceMs: 1 });
      const window = { deviceId: "a", sensor: "temperature", windowMs: alignDown(startMs, finest.windowMs) };
      await mesh.aggregator.markLateAppends(
        [{ ...window, arrivedMs: arrived.getTime() }],
        mesh.frontiersMs()[0] as number,
      );
      const [row] = await median();
      expect(row?.[0]).toBe(100);
      expect(row?.[1]).toBeCloseTo(30, 1);
    } finally {
      await mesh.close();
    }
  });
});
