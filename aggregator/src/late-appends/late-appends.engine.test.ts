import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { collections, type DuplicateWindowDocument } from "@devicemesh/pipeline";
import { alignDown } from "@devicemesh/proto";
import { readTimeframe } from "@devicemesh/query/answer/read-timeframe";
import { createMongoReadingStore } from "@devicemesh/query/store/mongo/mongo-reading-store";
import { describe, expect, it } from "vitest";
import { openAggregatorMesh } from "../../testing/kafka-aggregator-mesh.engine.ts";
import { sparkWindowJob } from "../window-job/open-window-job.ts";

const engines = await testEngines();
const sizeMs = 2000;
const slowly = { timeoutMs: 150_000 };

describe.skipIf(!engines)("a broker's clock that steps back behind Spark's watermark", () => {
  if (!engines) return;

  it("leaves no reading out of an answer, and the windows are marked until they are repaired", async () => {
    await using mesh = await openAggregatorMesh(engines, sizeMs);
    await using aggregator = await mesh.startWithJob(sparkWindowJob(mesh.config, silentLogger()));
    const startMs = alignDown(Date.now(), sizeMs) - 60_000;
    let lastMs = 0;
    for (let n = 0; n < 40; n++) lastMs = await mesh.append("device", startMs + n * 100, 1000 + n);
    await waitUntil(async () => (await mesh.frontier()).frontierMs > lastMs, slowly);

    // In windows that follow, appended half a minute before the frontier by their times.
    await mesh.keepTimesOf("producers");
    let sent = 40;
    for (let stepped = 0; stepped < 30; sent++) {
      const appendedMs = await mesh.append("device", startMs + sent * 100, 1000 + sent, 0, lastMs - 30_000);
      // -1: the broker has kept the producer's time.
      if (appendedMs < 0) stepped++;
    }
    await mesh.keepTimesOf("brokers");

    const marks = mesh.db.collection<DuplicateWindowDocument>(collections.duplicateWindows);
    const isRepaired = { $expr: { $lt: ["$last_repeat", "$repair.through"] } };
    const store = createMongoReadingStore({ db: mesh.db, clock: Date.now, horizonCacheMs: 0 });
    const answer = async () => {
      const timeframe = { sinceMs: startMs - sizeMs, toMs: startMs + 60_000 };
      const read = await readTimeframe(
        store,
        { filter: { deviceIds: [], sensors: [] }, timeframe },
        new AbortController().signal,
      );
      const add = (of: (partial: (typeof read.partials)[number]) => number): number =>
        read.partials.reduce((sum, partial) => sum + of(partial), 0);
      return { count: add(({ count }) => count), sum: add(({ sum }) => sum), coverage: read.coverage };
    };
    const exact = { count: sent, sum: 1000 * sent + (sent * (sent - 1)) / 2 };
    await waitUntil(async () => (await marks.countDocuments()) > 0, slowly);
    expect(aggregator.view().active?.job.progress()?.rowsDropped).toBeGreaterThan(0);
    await waitUntil(() => aggregator.view().active?.progress.checks?.waiting.length === 0, slowly);
    expect(await answer()).toMatchObject(exact);
    await waitUntil(async () => {
      const unrepaired = (await marks.countDocuments()) - (await marks.countDocuments(isRepaired));
      return unrepaired === 0 && (await answer()).coverage.fromRaw === 0;
    }, slowly);
    expect(await answer()).toMatchObject(exact);
    await waitUntil(() => aggregator.view().problems.length === 0, slowly);
    await store.close();
  });
});
