import { createClient, createRouterTransport } from "@connectrpc/connect";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { createErrorInterceptor } from "@devicemesh/kit/rpc/connect-status";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { createMemoryReadingStore } from "../../testing/memory-store/memory-reading-store.ts";
import { describeExactAnswers, type ExactAnswersEngine } from "../../testing/oracle/index.ts";
import { queryRoutes } from "../api/routes.ts";

describeExactAnswers("memory store", () => openEngine(), { runs: 200 });

// Of rows with more than three readings, quantiles come from sketches.
describeExactAnswers("memory store with quantiles from sketches", () => openEngine(3), { runs: 60 });

async function openEngine(exactQuantilesMax?: number): Promise<ExactAnswersEngine> {
  let nowMs = Date.UTC(2026, 10, 23, 20, 4, 22, 17);
  const clock = () => nowMs;
  const memory = createMemoryReadingStore({ clock });
  const routes = queryRoutes({ store: memory.store, clock, exactQuantilesMax });
  const transport = createRouterTransport(routes, {
    router: { interceptors: [createErrorInterceptor({ logger: silentLogger() })] },
  });
  return {
    publish: async (readings) => memory.append(readings),
    fold: async () => memory.fold(),
    advance(ms) {
      nowMs += ms;
    },
    nowMs: clock,
    query: createClient(QueryService, transport),
    close: async () => memory.close(),
  };
}
