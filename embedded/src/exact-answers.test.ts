import { createClient, createRouterTransport } from "@connectrpc/connect";
import { batchOf } from "@devicemesh/ingest/message-log.contract";
import { createErrorInterceptor } from "@devicemesh/kit/connect-status";
import { silentLogger } from "@devicemesh/kit/logger";
import { temporaryFolder } from "@devicemesh/kit/testing";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { queryRoutes } from "@devicemesh/query";
import { describeExactAnswers } from "@devicemesh/query/oracle";
import { openEmbeddedStore } from "./embedded-store.ts";

// The one suite that judges every engine, here over the real file: real commits, real folding, real SQL.
describeExactAnswers("the embedded store", async () => {
  const folder = temporaryFolder();
  let nowMs = Date.UTC(2026, 10, 24, 11, 59, 30);
  const clock = () => nowMs;
  const store = await openEmbeddedStore({ folder: folder.path, clock, memoryMib: 64 });
  const transport = createRouterTransport(queryRoutes({ store: store.readings, clock }), {
    router: { interceptors: [createErrorInterceptor({ logger: silentLogger() })] },
  });
  return {
    publish: (readings) => store.log.append(batchOf(readings)),
    fold: store.maintain,
    advance(ms) {
      nowMs += ms;
    },
    nowMs: clock,
    query: createClient(QueryService, transport),
    async close() {
      await store.close();
      folder[Symbol.dispose]();
    },
  };
});
