import { createClient, createRouterTransport } from "@connectrpc/connect";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { createErrorInterceptor } from "@devicemesh/kit/rpc/connect-status";
import { indexDefinitions } from "@devicemesh/operator";
import { defaultLevels } from "@devicemesh/proto";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { describe, expect, it } from "vitest";
import { describeReadingStore } from "../../../testing/contracts/reading-store.contract.ts";
import { openMeshFixture } from "../../../testing/mongo/mongo-mesh-fixture.ts";
import { describeExactAnswers } from "../../../testing/oracle/index.ts";
import { queryRoutes } from "../../api/routes.ts";
import { allTime, planRead } from "../../plan/planner.ts";

const engines = await testEngines();

describe.skipIf(!engines)("on a real database", () => {
  const database = {
    url: engines?.mongodbUrl ?? "",
    indexes: indexDefinitions({ levels: defaultLevels }),
  };

  it("reports that a repair in a plan was replaced", async () => {
    const mesh = await openMeshFixture(database);
    const { signal } = new AbortController();
    const filter = { deviceIds: [], sensors: [] };
    const reading = { deviceId: "a", sensor: "temperature" as const, timestampMs: mesh.nowMs(), value: 20 };
    try {
      await mesh.publish([reading, reading]);
      mesh.advance(20_000);
      await mesh.fold();
      await mesh.repair();
      const horizon = await mesh.store.readHorizon(signal);
      const duplicates = await mesh.store.readDuplicateWindows({ filter, ...allTime }, signal);
      const { plan } = planRead({ ...allTime, levels: mesh.store.levels, horizon, duplicates });
      expect(plan.duplicates?.repairs.length).toBe(1);
      expect(await mesh.store.readPartials({ plan, filter }, signal)).toMatchObject({
        isStale: false,
        partials: [{ count: 1, fromRaw: 0 }],
      });
      mesh.advance(20_000);
      await mesh.fold();
      await mesh.repair();
      expect(await mesh.store.readPartials({ plan, filter }, signal)).toMatchObject({ isStale: true });
    } finally {
      await mesh.close();
    }
  });

  describeReadingStore("MongoDB", () => openMeshFixture(database));

  const variants = [
    { name: "pure coarse levels", isCoarsePure: true },
    { name: "coarse levels that count duplicates", isCoarsePure: false },
    // Of rows with more than three readings, quantiles come from sketches.
    { name: "quantiles from sketches", isCoarsePure: true, exactQuantilesMax: 3 },
    {
      name: "quantiles from sketches, which some windows lack",
      isCoarsePure: false,
      exactQuantilesMax: 3,
      isSketched: (segmentMs: number) => (segmentMs / 600_000) % 3 !== 0,
    },
  ];
  describe.each(variants)("$name", ({ name: _, exactQuantilesMax, ...options }) => {
    describeExactAnswers(
      "MongoDB",
      async () => {
        const mesh = await openMeshFixture({ ...database, ...options });
        const routes = queryRoutes({ store: mesh.store, clock: mesh.nowMs, exactQuantilesMax });
        const transport = createRouterTransport(routes, {
          router: { interceptors: [createErrorInterceptor({ logger: silentLogger() })] },
        });
        let folds = 0;
        return {
          ...mesh,
          async fold() {
            await mesh.fold({ isSlow: folds % 3 === 1 });
            if (folds++ % 2 === 1) await mesh.repair();
          },
          query: createClient(QueryService, transport),
        };
      },
      { runs: 6, manySeries: 300, timeoutMs: 240_000 },
    );
  });
});
