import { createClient, createRouterTransport } from "@connectrpc/connect";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { createErrorInterceptor } from "@devicemesh/kit/rpc/connect-status";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { describe } from "vitest";
import { createMemoryReadingStore } from "../../testing/memory-store/memory-reading-store.ts";
import { describeExactAnswers } from "../../testing/oracle/index.ts";
import { queryRoutes } from "../api/routes.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type { StoreHorizon } from "../store/store-status.ts";

/** A store whose horizons are as old as allowed: every second one is the previous one. */
function withOldHorizons(store: ReadingStore): ReadingStore {
  let previous: StoreHorizon | undefined;
  let reads = 0;
  return {
    ...store,
    async readHorizon(signal) {
      const newest = await store.readHorizon(signal);
      const reported = reads++ % 2 === 0 ? newest : (previous ?? newest);
      previous = newest;
      return reported;
    },
  };
}

/** A store that makes all repairs again between reading the duplicates and the partials in every third read. */
function withRepairsAnew(store: ReadingStore, repair: () => void): ReadingStore {
  let reads = 0;
  return {
    ...store,
    async readPartials(request, signal) {
      if (reads++ % 3 === 0) repair();
      return store.readPartials(request, signal);
    },
  };
}

// Like on the real engines: partials count duplicates, whose windows are dirty until they are repaired. The levels
// above the finest are pure from some time on, like after an update of an older mesh, or from the start.
describe.each([
  ["never", undefined, false],
  ["always", 0, true],
  ["in the middle of it", Date.UTC(2026, 10, 24), true],
])("coarse levels pure: %s", (_, coarsePureSinceMs, isRemote) => {
  describeExactAnswers(
    "a store whose partials count duplicates",
    async () => {
      let nowMs = Date.UTC(2026, 10, 23, 20, 4, 22, 17);
      const clock = () => nowMs;
      const memory = createMemoryReadingStore({
        clock,
        isCountingDuplicates: true,
        isRemote,
        ...(coarsePureSinceMs !== undefined && { coarsePureSinceMs }),
      });
      const store = withOldHorizons(withRepairsAnew(memory.store, memory.repair));
      const transport = createRouterTransport(queryRoutes({ store, clock }), {
        router: { interceptors: [createErrorInterceptor({ logger: silentLogger() })] },
      });
      let folds = 0;
      return {
        publish: async (readings) => memory.append(readings),
        async fold() {
          memory.fold();
          if (folds++ % 2 === 1) memory.repair();
        },
        advance(ms) {
          nowMs += ms;
        },
        nowMs: clock,
        query: createClient(QueryService, transport),
        close: async () => memory.close(),
      };
    },
    { runs: 80, manySeries: 500 },
  );
});
