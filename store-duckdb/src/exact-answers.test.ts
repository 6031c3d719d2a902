import { createClient, createRouterTransport } from "@connectrpc/connect";
import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { createErrorInterceptor } from "@devicemesh/kit/rpc/connect-status";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { queryRoutes } from "@devicemesh/query";
import { describeExactAnswers, type ExactAnswersEngine } from "@devicemesh/query/testing/oracle/index";
import { openEmbeddedStore } from "./duckdb-store.ts";

// The suite that every store must pass, here over the real file: real commits, real folding, real SQL.
describeExactAnswers("the embedded store", () => openEngine(), { timeoutMs: 300_000 });

// The other paths to the same answers: the settings force them whatever the number of series.
const variant = { runs: 20, manySeries: 500, timeoutMs: 300_000 };

// Like with many series, whose windows do not fit the memory: the engine merges their partials, and devices too. It
// has the memory that a process has by default: in 64 MiB it rejects buckets of an offset grid over weeks.
describeExactAnswers(
  "the embedded store as with many series",
  () => openEngine({ windowMemoryMib: 0, memoryMib: 192 }),
  variant,
);
describeExactAnswers(
  "the embedded store that merges devices in the engine",
  () => openEngine({ windowMemoryMib: 0, mergeFromSeries: 0, memoryMib: 192 }),
  variant,
);

// Of rows with more than three readings, quantiles come from sketches.
describeExactAnswers(
  "the embedded store with quantiles from sketches",
  () => openEngine({ exactQuantilesMax: 3 }),
  variant,
);

// So little that blocks of windows are dropped and read again repeatedly.
describeExactAnswers(
  "the embedded store with little memory for windows",
  () => openEngine({ windowMemoryMib: 0.01 }),
  variant,
);

// Back by an hour and forward again with every step of time, like an administrator or a faulty time server.
describeExactAnswers(
  "the embedded store whose clock is stepped by an hour",
  () => openEngine({ stepMs: -3_600_000 }),
  variant,
);

// Nothing that arrived before a query is in memory: late readings are read beside the windows of earlier ones.
describeExactAnswers(
  "the embedded store that is opened again after every append",
  () => openEngine({ isReopened: true }),
  { ...variant, runs: 10 },
);

async function openEngine({
  stepMs = 0,
  isReopened = false,
  exactQuantilesMax,
  ...options
}: {
  readonly stepMs?: number;
  readonly isReopened?: boolean;
  readonly exactQuantilesMax?: number;
  readonly mergeFromSeries?: number;
  readonly windowMemoryMib?: number;
  readonly memoryMib?: number;
} = {}): Promise<ExactAnswersEngine> {
  const folder = temporaryFolder();
  let nowMs = Date.UTC(2026, 10, 24, 11, 59, 30);
  let advances = 0;
  const clock = () => nowMs + (advances % 2) * stepMs;
  const elapsedMs = () => nowMs;
  async function open() {
    const store = await openEmbeddedStore({
      folder: folder.path,
      clock,
      elapsedMs,
      memoryMib: 64,
      ...options,
    });
    const transport = createRouterTransport(
      queryRoutes({ store: store.readings, clock, exactQuantilesMax }),
      {
        router: { interceptors: [createErrorInterceptor({ logger: silentLogger() })] },
      },
    );
    return { store, query: createClient(QueryService, transport) };
  }
  let opened = await open();
  return {
    async publish(readings) {
      await opened.store.log.append(batchOf(readings));
      if (!isReopened) return;
      await opened.store.close();
      opened = await open();
    },
    fold: () => opened.store.maintain(),
    advance(ms) {
      nowMs += ms;
      advances += 1;
    },
    nowMs: clock,
    get query() {
      return opened.query;
    },
    async close() {
      await opened.store.close();
      folder[Symbol.dispose]();
    },
  };
}
