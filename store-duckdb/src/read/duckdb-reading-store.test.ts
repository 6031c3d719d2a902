import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import {
  describeReadingStore,
  expiringRetention,
  type ReadingStoreHarness,
} from "@devicemesh/query/testing/contracts/reading-store.contract";
import { openEmbeddedStore } from "../duckdb-store.ts";

async function open(isExpiring: boolean): Promise<ReadingStoreHarness> {
  const folder = temporaryFolder();
  let nowMs = Date.UTC(2026, 10, 24, 11, 59, 30);
  const store = await openEmbeddedStore({
    folder: folder.path,
    clock: () => nowMs,
    memoryMib: 64,
    ...(isExpiring && { retention: expiringRetention }),
  });
  return {
    store: store.readings,
    publish: (readings) => store.log.append(batchOf(readings)),
    fold: store.maintain,
    advance(ms) {
      nowMs += ms;
    },
    nowMs: () => nowMs,
    async close() {
      await store.close();
      folder[Symbol.dispose]();
    },
  };
}
describeReadingStore("DuckDB", () => open(false), { openExpiring: () => open(true) });
