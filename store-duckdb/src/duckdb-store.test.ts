import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import type { DeviceMessage } from "@devicemesh/proto";
import { planRead } from "@devicemesh/query";
import { describe, expect, it } from "vitest";
import { openDuckdb } from "./database/duckdb-database.ts";
import { type EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from "./duckdb-store.ts";

const second = 1000;
const day = 86_400 * second;
const startMs = Date.UTC(2026, 10, 24, 12);
const signal = AbortSignal.timeout(60_000);
const everything = { deviceIds: [], sensors: [] };

function readings(count: number, firstMs: number, stepMs = second): DeviceMessage[] {
  return Array.from({ length: count }, (_, place) => ({
    deviceId: "a",
    sensor: "temperature" as const,
    timestampMs: firstMs + place * stepMs,
    value: place % 40,
  }));
}

/** A store with a clock that the test controls. */
async function openAt(folder: string, options: Partial<EmbeddedStoreOptions> = {}) {
  const time = { nowMs: startMs };
  const store = await openEmbeddedStore({ folder, clock: () => time.nowMs, elapsedMs: () => 0, ...options });
  return { store, time };
}

async function count(store: EmbeddedStore, sinceMs: number, toMs: number) {
  const horizon = await store.readings.readHorizon(signal);
  const { plan, notCovered } = planRead({ sinceMs, toMs, levels: store.readings.levels, horizon });
  const { partials } = await store.readings.readPartials({ plan, filter: everything }, signal);
  const sum = (field: "count" | "fromRaw") => partials.reduce((total, partial) => total + partial[field], 0);
  return { all: sum("count"), fromRaw: sum("fromRaw"), notCovered };
}

describe("the embedded store", () => {
  it("folds a segment when it has closed, and counts nothing twice meanwhile", async () => {
    using folder = temporaryFolder();
    const { store, time } = await openAt(folder.path);
    await using _ = store;
    await store.log.append(batchOf(readings(100, startMs - 200 * second)));
    expect(await count(store, 0, Infinity)).toMatchObject({ all: 100, fromRaw: 100 });
    time.nowMs += 10 * second;
    await store.maintain();
    expect(await count(store, 0, Infinity)).toMatchObject({ all: 100, fromRaw: 0 });
    await store.log.append(batchOf(readings(50, startMs - 100 * second)));
    expect(await count(store, 0, Infinity)).toMatchObject({ all: 150, fromRaw: 50 });
  });

  it("keeps readings, frontiers and duplicates over a restart", async () => {
    using folder = temporaryFolder();
    const first = await openAt(folder.path);
    await first.store.log.append(batchOf(readings(30, startMs)));
    await first.store.log.append(batchOf(readings(10, startMs)));
    first.time.nowMs += 700 * second;
    await first.store.maintain();
    const before = await first.store.readings.readStatus(signal);
    await first.store.close();
    await first.store.close();

    const again = await openAt(folder.path);
    await using _ = again.store;
    const after = await again.store.readings.readStatus(signal);
    expect(after.horizon.frontiersMs).toEqual(before.horizon.frontiersMs);
    expect(after).toMatchObject({ storedReadings: 30, series: 1, duplicates: 10, conflicts: 0 });
    await again.store.log.append(batchOf([{ ...readings(1, startMs)[0]!, value: 39.5 }]));
    expect(await again.store.readings.readStatus(signal)).toMatchObject({ storedReadings: 30, conflicts: 1 });
  });

  it("loses nothing when the clock goes back by a day", async () => {
    using folder = temporaryFolder();
    const { store, time } = await openAt(folder.path);
    await using _ = store;
    time.nowMs += 5 * second;
    await store.log.append(batchOf(readings(5, startMs)));
    time.nowMs += 60 * second;
    await store.maintain();
    time.nowMs -= day;
    await store.log.append(batchOf(readings(7, startMs + 5 * second)));
    await store.maintain();
    expect((await count(store, 0, Infinity)).all).toBe(12);
    time.nowMs += 2 * day;
    await store.maintain();
    expect(await count(store, 0, Infinity)).toMatchObject({ all: 12, fromRaw: 0 });
  });

  it("rejects a file that was made with other windows", async () => {
    using folder = temporaryFolder();
    await (await openAt(folder.path)).store.close();
    const levels = [{ windowMs: 20_000, segmentMs: 20_000 }];
    await expect(openAt(folder.path, { levels })).rejects.toThrow("other sizes of windows");
  });

  it("reports its size on disk", async () => {
    using folder = temporaryFolder();
    const { store } = await openAt(folder.path);
    await using _ = store;
    await store.log.append(batchOf(readings(1000, startMs)));
    expect((await store.readings.readStatus(signal)).diskBytes).toBeGreaterThan(10_000);
  });

  it("cancels a query when its caller does", async () => {
    using folder = temporaryFolder();
    const { store } = await openAt(folder.path);
    await using _ = store;
    const gone = AbortSignal.abort(new Error("the caller has gone"));
    await expect(store.readings.readStatus(gone)).rejects.toThrow("the caller has gone");
    expect((await count(store, 0, Infinity)).all).toBe(0);
  });
});

describe("retention", () => {
  const retention = { rawMs: 2 * day, levelsMs: [4 * day, 8 * day, undefined] };

  it("deletes folded raw readings, and still answers whole windows exactly", async () => {
    using folder = temporaryFolder();
    const { store, time } = await openAt(folder.path, { retention });
    await using _ = store;
    const oldMs = startMs - 40 * 3600 * second;
    await store.log.append(batchOf(readings(5000, oldMs, 10 * second)));
    time.nowMs += 20 * second;
    await store.maintain();
    time.nowMs += 3 * day;
    await store.maintain();
    expect((await store.readings.readStatus(signal)).storedReadings).toBe(5000);
    time.nowMs += 61 * second;
    await store.maintain();
    const status = await store.readings.readStatus(signal);
    expect(status.storedReadings).toBe(0);
    expect(await count(store, oldMs - day, startMs + day)).toMatchObject({
      all: 5000,
      fromRaw: 0,
      notCovered: [],
    });
  });

  it("reports an edge that can no longer be answered exactly, and leaves it out", async () => {
    using folder = temporaryFolder();
    const { store, time } = await openAt(folder.path, { retention });
    await using _ = store;
    await store.log.append(batchOf(readings(100, startMs - 200 * second)));
    time.nowMs += 4 * day;
    await store.maintain();
    time.nowMs += 61 * second;
    await store.maintain();
    expect((await store.readings.readStatus(signal)).storedReadings).toBe(0);
    const sinceMs = startMs - 195 * second;
    const answer = await count(store, sinceMs, startMs);
    expect(answer).toEqual({ all: 90, fromRaw: 0, notCovered: [{ sinceMs, toMs: startMs - 190 * second }] });
  });

  it("rejects readings older than the raw readings that identify their duplicates", async () => {
    using folder = temporaryFolder();
    const { store } = await openAt(folder.path, { retention });
    await using _ = store;
    expect(store.earliestAcceptedMs()).toBe(startMs - 2 * day);
  });

  describe.each([
    ["removed", undefined],
    ["longer", { rawMs: 30 * day, levelsMs: [40 * day, 50 * day, undefined] }],
    ["shorter", { rawMs: day, levelsMs: [4 * day, 8 * day, undefined] }],
    ["of another level only", { rawMs: undefined, levelsMs: [undefined, undefined, undefined] }],
  ])("%s at a restart after raw readings have expired", (_, changed) => {
    it("does not restore them: ingest rejects them, and answers leave their edges out", async () => {
      using folder = temporaryFolder();
      const sent = readings(1000, startMs - 2000 * second);
      const { store, time } = await openAt(folder.path, { retention });
      await store.log.append(batchOf(sent));
      time.nowMs += 4 * day;
      await store.maintain();
      time.nowMs += 61 * second;
      await store.maintain();
      expect((await store.readings.readStatus(signal)).storedReadings).toBe(0);
      const before = await store.readings.readHorizon(signal);
      await store.close();

      const again = await openAt(folder.path, changed ? { retention: changed } : {});
      await using _ = again.store;
      again.time.nowMs = time.nowMs;
      const after = await again.store.readings.readHorizon(signal);
      expect(after.rawKeptSinceMs).toBe(before.rawKeptSinceMs);
      expect(again.store.earliestAcceptedMs()).toBeGreaterThanOrEqual(before.rawKeptSinceMs);
      expect(sent.filter(({ timestampMs }) => timestampMs >= again.store.earliestAcceptedMs())).toEqual([]);
      const edge = { sinceMs: startMs - 1995 * second, toMs: startMs - 1990 * second };
      expect(await count(again.store, edge.sinceMs, startMs)).toMatchObject({ all: 990, notCovered: [edge] });
    });
  });

  it("is unlimited in a folder of a version before retention", async () => {
    using folder = temporaryFolder();
    const { store } = await openAt(folder.path);
    await store.log.append(batchOf(readings(10, startMs - 40 * day)));
    await store.close();
    const database = await openDuckdb(folder.path, { memoryMib: 64, threads: 1 });
    (await database.connect()).run("DROP TABLE kept_since");
    await database.close();

    const again = await openAt(folder.path);
    await using _ = again.store;
    expect(again.store.earliestAcceptedMs()).toBe(-Infinity);
    await again.store.log.append(batchOf(readings(10, startMs - 40 * day)));
    expect(await count(again.store, 0, Infinity)).toMatchObject({ all: 10, notCovered: [] });
  });

  it("is rejected if it contradicts itself", async () => {
    using folder = temporaryFolder();
    const contradiction = { rawMs: 2 * day, levelsMs: [day, undefined, undefined] };
    await expect(openAt(folder.path, { retention: contradiction })).rejects.toThrow("level 0");
  });
});
