import { createClient, createRouterTransport } from "@connectrpc/connect";
import { testEngines } from "@devicemesh/engines/testing";
import { createErrorInterceptor } from "@devicemesh/kit/connect-status";
import { silentLogger } from "@devicemesh/kit/logger";
import { indexDefinitions } from "@devicemesh/operator";
import { defaultLevels } from "@devicemesh/proto";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { describe } from "vitest";
import { openMeshFixture } from "./mongo-mesh-fixture.ts";
import { describeExactAnswers } from "./oracle/index.ts";
import { describeReadingStore } from "./reading-store.contract.ts";
import { queryRoutes } from "./routes.ts";

const engines = await testEngines();

describe.skipIf(!engines)("on a real database", () => {
  const database = {
    url: engines?.mongodbUrl ?? "",
    indexes: indexDefinitions({ levels: defaultLevels, retainRawMs: undefined }),
  };

  describeReadingStore("MongoDB", () => openMeshFixture(database));

  describeExactAnswers(
    "MongoDB",
    async () => {
      const mesh = await openMeshFixture(database);
      const transport = createRouterTransport(queryRoutes({ store: mesh.store, clock: mesh.nowMs }), {
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
    { runs: 10, manySeries: 300 },
  );
});
