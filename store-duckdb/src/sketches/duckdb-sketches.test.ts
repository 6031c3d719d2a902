import { createClient, createRouterTransport } from "@connectrpc/connect";
import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import type { DeviceMessage, Retention } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { queryRoutes } from "@devicemesh/query";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect, it } from "vitest";
import { storeFileName } from "../database/duckdb-database.ts";
import { openEmbeddedStore } from "../duckdb-store.ts";

const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 10, 24);

/** The quantiles of all questions here. */
const quantiles = [0, 0.5, 0.9, 1];

/** A store at a time that tests control, whose quantiles of more than `exactQuantilesMax` readings are sketched. */
async function openStore(
  folder: string,
  options: { readonly exactQuantilesMax?: number; readonly retention?: Retention; readonly nowMs?: number },
) {
  let nowMs = options.nowMs ?? startMs;
  const clock = () => nowMs;
  const { retention } = options;
  const store = await openEmbeddedStore({
    folder,
    clock,
    elapsedMs: clock,
    memoryMib: 64,
    ...(retention && { retention }),
  });
  const routes = queryRoutes({ store: store.readings, clock, exactQuantilesMax: options.exactQuantilesMax });
  const query = createClient(QueryService, createRouterTransport(routes));
  return {
    store,
    query,
    nowMs: clock,
    async advance(ms: number) {
      nowMs += ms;
      await store.maintain();
    },
    async quantiles(request: { groupBy?: GroupBy; deviceIds?: string[] } = {}) {
      const { rows } = await query.getAggregates({ ...request, quantiles });
      return rows.map((row) => row.quantiles.map(({ value, relativeError }) => ({ value, relativeError })));
    },
    [Symbol.asyncDispose]: () => store.close(),
  };
}

/** Readings of a device every 20 s, the first at a time. */
function readingsOf(deviceId: string, sinceMs: number, count: number): DeviceMessage[] {
  return Array.from({ length: count }, (_, place) => ({
    deviceId,
    sensor: "temperature",
    timestampMs: sinceMs + place * 20_000,
    value: -5 + ((place * 37) % 101) / 4,
  }));
}

/** Expects quantiles of `readingsOf` that are within their error, and some that are not exact. */
function expectSketched(
  [row]: readonly (readonly { readonly value: number; readonly relativeError: number }[])[],
  values: readonly number[],
): void {
  const sorted = values.toSorted((a, b) => a - b);
  expect(row?.map(({ relativeError }) => relativeError)).toEqual([0, 1 / 512, 1 / 512, 0]);
  for (const [place, quantile] of quantiles.entries()) {
    const rank = quantile * (sorted.length - 1);
    const [below, above] = [sorted[Math.floor(rank)] as number, sorted[Math.ceil(rank)] as number];
    const wanted = below + (above - below) * (rank % 1);
    const scale = Math.max(Math.abs(below), Math.abs(above));
    expect(Math.abs((row?.[place]?.value ?? Number.NaN) - wanted)).toBeLessThanOrEqual(scale / 512 + 1e-12);
  }
}

it("answers the same from sketches of folded windows as from raw readings, late ones included", async () => {
  using folder = temporaryFolder();
  await using mesh = await openStore(folder.path, { exactQuantilesMax: 100 });
  const first = readingsOf("a", startMs - 3 * dayMs + 7, 3000);
  await mesh.store.log.append(batchOf(first));
  const raw = await mesh.quantiles();
  expectSketched(
    raw,
    first.map(({ value }) => value),
  );
  for (const advanceMs of [11_000, 700_000, 2 * dayMs]) {
    await mesh.advance(advanceMs);
    expect(await mesh.quantiles()).toEqual(raw);
    expect(await mesh.quantiles({ groupBy: GroupBy.ALL })).toEqual(raw);
  }
  const late = readingsOf("a", startMs - 3 * dayMs + 11, 500);
  // The first hundred are duplicates, which count once.
  await mesh.store.log.append(batchOf([...first.slice(0, 100), ...late]));
  const before = await mesh.quantiles();
  await mesh.advance(2 * dayMs);
  expect(await mesh.quantiles()).toEqual(before);
  expectSketched(
    before,
    [...first, ...late].map(({ value }) => value),
  );
});

it("answers from sketches where raw readings have expired", async () => {
  using folder = temporaryFolder();
  const retention = { rawMs: dayMs, levelsMs: [2 * dayMs, undefined, undefined] };
  await using mesh = await openStore(folder.path, { retention });
  const readings = readingsOf("a", startMs - 20 * 3_600_000, 3000);
  await mesh.store.log.append(batchOf(readings));
  // The marks move with the first maintenance, and the data is deleted a minute later.
  for (const advanceMs of [11_000, 700_000, 4 * dayMs, 70_000, 70_000]) await mesh.advance(advanceMs);
  const { storedReadings } = await mesh.store.readings.readStatus(new AbortController().signal);
  expect(storedReadings).toBe(0);
  expectSketched(
    await mesh.quantiles(),
    readings.map(({ value }) => value),
  );
});

it("keeps raw readings that have expired until their sketches are folded", async () => {
  using folder = temporaryFolder();
  const retention = { rawMs: dayMs, levelsMs: [dayMs, undefined, undefined] };
  await using mesh = await openStore(folder.path, { retention, nowMs: startMs + 3 * dayMs + 1000 });
  await mesh.advance(11_000);
  const readings = readingsOf("a", startMs, 20);
  await mesh.store.log.append(batchOf(readings));
  // Folded into 10 s, but not yet into 10 min; expired data is deleted a minute after it was folded.
  for (const advanceMs of [11_000, 62_000, 62_000]) await mesh.advance(advanceMs);
  expect((await mesh.quantiles()).map((row) => row.length)).toEqual([quantiles.length]);
  for (const advanceMs of [700_000, 2 * dayMs, 62_000, 62_000]) await mesh.advance(advanceMs);
  const { storedReadings } = await mesh.store.readings.readStatus(new AbortController().signal);
  expect(storedReadings).toBe(0);
  expectSketched(
    await mesh.quantiles(),
    readings.map(({ value }) => value),
  );
});

it("reads raw readings for windows of a file from before there were sketches, and none once they have expired", async () => {
  using folder = temporaryFolder();
  const readings = readingsOf("a", startMs - 3 * dayMs, 3000);
  const newer = readingsOf("b", startMs - dayMs, 50);
  {
    await using old = await openStore(folder.path, {});
    await old.store.log.append(batchOf(readings));
    await old.advance(700_000);
  }
  const instance = await DuckDBInstance.create(`${folder.path}/${storeFileName}`);
  const connection = await instance.connect();
  for (const level of [1, 2]) await connection.run(`ALTER TABLE partials_${level} DROP COLUMN sketch`);
  connection.closeSync();
  instance.closeSync();
  const after = { exactQuantilesMax: 10, nowMs: startMs + 700_000 };
  {
    await using mesh = await openStore(folder.path, after);
    const a = readings.map(({ value }) => value);
    expectSketched(await mesh.quantiles(), a);
    await mesh.advance(dayMs);
    await mesh.store.log.append(batchOf(newer));
    await mesh.advance(2 * dayMs);
    expectSketched(await mesh.quantiles({ deviceIds: ["a"] }), a);
    expectSketched(
      await mesh.quantiles({ deviceIds: ["b"] }),
      newer.map(({ value }) => value),
    );
  }
  const retention = { rawMs: dayMs, levelsMs: [dayMs, undefined, undefined] };
  await using mesh = await openStore(folder.path, {
    ...after,
    retention,
    nowMs: startMs + 4 * dayMs,
  });
  for (const advanceMs of [11_000, 70_000, 70_000]) await mesh.advance(advanceMs);
  const [a, b] = await mesh.quantiles();
  expect(a).toEqual([]);
  expectSketched(
    [b ?? []],
    newer.map(({ value }) => value),
  );
});

it("has no sketch of only some readings of a partial: a version before sketches deleted the others", async () => {
  using folder = temporaryFolder();
  const firstMs = startMs - 3 * dayMs;
  const later = { exactQuantilesMax: 10, nowMs: startMs + 30_000 };
  const first = Array.from({ length: 30 }, (_, place) => ({
    ...readingsOf("a", firstMs + place, 1)[0]!,
    value: 1,
  }));
  {
    await using mesh = await openStore(folder.path, {});
    await mesh.store.log.append(batchOf(first));
    await mesh.advance(11_000);
  }
  // It waited for the finest windows only.
  const instance = await DuckDBInstance.create(`${folder.path}/${storeFileName}`);
  const connection = await instance.connect();
  await connection.run("DELETE FROM readings");
  await connection.run(`INSERT INTO kept_since VALUES (-1, ${startMs - 2 * dayMs})`);
  // These arrived before the marks, and are in the same partials of the coarser windows.
  await connection.run(
    `INSERT INTO readings SELECT 0, ${firstMs} + 1000 + range, 50, (SELECT frontier FROM levels WHERE level = 0) FROM range(20)`,
  );
  connection.closeSync();
  instance.closeSync();
  await using mesh = await openStore(folder.path, later);
  for (const advanceMs of [11_000, 700_000, 2 * dayMs]) await mesh.advance(advanceMs);
  const { rows } = await mesh.query.getAggregates({ quantiles });
  expect(rows.map(({ count, maximum }) => [count, maximum])).toEqual([[50n, 50]]);
  expect(await mesh.quantiles()).toEqual([[]]);
});
