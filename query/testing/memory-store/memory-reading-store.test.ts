import { alignDown } from "@devicemesh/proto";
import {
  describeReadingStore,
  expiringRetention,
  type ReadingStoreHarness,
} from "../contracts/reading-store.contract.ts";
import { createMemoryReadingStore, type MemoryReadingStoreOptions } from "./memory-reading-store.ts";

const dayMs = 86_400_000;

type Kind = Omit<MemoryReadingStoreOptions, "clock"> & { readonly isExpiring?: boolean };

async function open({ isExpiring = false, ...options }: Kind): Promise<ReadingStoreHarness> {
  let nowMs = Date.UTC(2026, 10, 23, 20, 4, 22, 17);
  const memory = createMemoryReadingStore({ clock: () => nowMs, ...options });
  return {
    store: memory.store,
    publish: async (readings) => memory.append(readings),
    async fold() {
      memory.fold();
      if (!isExpiring) return;
      // Later than ingest accepts readings, so that a duplicate can be recognized.
      const since = (keepMs: number | undefined): number =>
        keepMs === undefined ? Number.NEGATIVE_INFINITY : alignDown(nowMs - keepMs - 3_600_000, dayMs);
      memory.expire({
        rawMs: since(expiringRetention.rawMs),
        levelsMs: expiringRetention.levelsMs.map(since),
      });
    },
    advance(ms) {
      nowMs += ms;
    },
    nowMs: () => nowMs,
    close: async () => memory.close(),
  };
}

describeReadingStore("memory", () => open({}), {
  openExpiring: () => open({ isExpiring: true }),
});

describeReadingStore("memory, partials count duplicates", () => open({ isCountingDuplicates: true }), {
  openExpiring: () => open({ isExpiring: true, isCountingDuplicates: true }),
});

const pure = { isCountingDuplicates: true, coarsePureSinceMs: 0 };
describeReadingStore("memory, finest partials count duplicates", () => open(pure), {
  openExpiring: () => open({ ...pure, isExpiring: true }),
});
