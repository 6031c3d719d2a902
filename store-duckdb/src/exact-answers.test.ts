import { createClient, createRouterTransport } from "@connectrpc/connect";
import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { createErrorInterceptor } from "@devicemesh/kit/rpc/connect-status";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { queryRoutes } from "@devicemesh/query";
import { describeExactAnswers, type ExactAnswersEngine } from "@devicemesh/query/testing/oracle/index";
import { openEmbeddedStore } from "./duckdb-store.ts";

// The one suite that judges every engine, here over the real file: real commits, real folding, real SQL.
describeExactAnswers("the embedded store", () => openEngine());

// As with many series, whose windows do not fit the memory: the engine merges their partials, and devices too.
describeExactAnswers("the embedded store as with many series", () => openEngine({ windowMemoryMib: 0 }));
describeExactAnswers("the embedded store that merges devices in the engine", () =>
  openEngine({ windowMemoryMib: 0, mergeFromSeries: 0 }),
);

// So little that blocks of windows are dropped and read again all the time.
describeExactAnswers("the embedded store with little memory for windows", () =>
  openEngine({ windowMemoryMib: 0.01 }),
);

// Back by an hour and forward again with every step of time, as an administrator or a bad time server would.
describeExactAnswers("the embedded store whose clock is stepped by an hour", () =>
  openEngine({ stepMs: -3_600_000 }),
);

async function openEngine({
  stepMs = 0,
  ...options
}: {
  readonly stepMs?: number;
  readonly mergeFromSeries?: number;
  readonly windowMemoryMib?: number;
} = {}): Promise<ExactAnswersEngine> {
  const folder = temporaryFolder();
  let nowMs = Date.UTC(2026, 10, 24, 11, 59, 30);
  let advances = 0;
  const clock = () => nowMs + (advances % 2) * stepMs;
  const elapsedMs = () => nowMs;
  const store = await openEmbeddedStore({ folder: folder.path, clock, elapsedMs, memoryMib: 64, ...options });
  const transport = createRouterTransport(queryRoutes({ store: store.readings, clock }), {
    router: { interceptors: [createErrorInterceptor({ logger: silentLogger() })] },
  });
  return {
    publish: (readings) => store.log.append(batchOf(readings)),
    fold: store.maintain,
    advance(ms) {
      nowMs += ms;
      advances += 1;
    },
    nowMs: clock,
    query: createClient(QueryService, transport),
    async close() {
      await store.close();
      folder[Symbol.dispose]();
    },
  };
}
