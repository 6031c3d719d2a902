import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import type { Retention } from "@devicemesh/proto";
import { describeChangingRetention } from "@devicemesh/query/testing/contracts/changing-retention.contract";
import { openEmbeddedStore } from "./duckdb-store.ts";

describeChangingRetention(
  "DuckDB",
  async (first) => {
    const folder = temporaryFolder();
    let nowMs = Date.UTC(2026, 10, 24, 11, 59, 30);
    const open = (retention: Retention) =>
      openEmbeddedStore({
        folder: folder.path,
        clock: () => nowMs,
        elapsedMs: () => nowMs,
        memoryMib: 64,
        retention,
      });
    let store = await open(first);
    return {
      store: () => store.readings,
      publish: (readings) => store.log.append(batchOf(readings)),
      fold: () => store.maintain(),
      advance(ms) {
        nowMs += ms;
      },
      nowMs: () => nowMs,
      earliestAcceptedMs: () => store.earliestAcceptedMs(),
      async restart(retention) {
        await store.close();
        store = await open(retention);
      },
      async close() {
        await store.close();
        folder[Symbol.dispose]();
      },
    };
  },
  { runs: 15 },
);
