import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { startTestMetrics } from "@devicemesh/kit/testing/metrics-scrape";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { registerQueryMetrics } from "@devicemesh/query/metrics";
import { expect, it } from "vitest";
import { openRecoveringStore } from "./recovering-store.ts";
import { anyTime } from "./series/select-series.ts";

it("a store orders series by their latest readings, also after it is opened again", async () => {
  using folder = temporaryFolder();
  await using reported = await startTestMetrics();
  const nowMs = Date.UTC(2026, 10, 24);
  await using store = await openRecoveringStore({ folder: folder.path, clock: () => nowMs });
  const { counted } = registerQueryMetrics(reported.metrics, {
    watchers: () => 0,
    isStoreReachable: () => true,
  });
  await store.log.append(
    batchOf(
      ["old", "new"].map((deviceId, place) => ({
        ...{ deviceId, sensor: "temperature", timestampMs: nowMs - 2 + place, value: 1 },
      })),
    ),
  );
  const found = await counted(store.readings).readLatestSeries?.(
    { filter: { deviceIds: [], sensors: [] }, order: "latestFirst", latest: anyTime, limit: 2 },
    new AbortController().signal,
  );
  expect(found?.series.map(({ deviceId }) => deviceId)).toEqual(["new", "old"]);
});
