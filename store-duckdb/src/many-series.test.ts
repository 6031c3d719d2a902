import { createClient, createRouterTransport } from "@connectrpc/connect";
import type { MessageBatch } from "@devicemesh/ingest";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { createErrorInterceptor } from "@devicemesh/kit/rpc/connect-status";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { builtInSensors } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { queryRoutes } from "@devicemesh/query";
import { describe, expect, it } from "vitest";
import { openEmbeddedStore } from "./duckdb-store.ts";

const nowMs = Date.UTC(2026, 10, 24, 12);
const seriesCount = 120_000;
const batchReadings = 1000;

/** One reading of each of many devices. */
function batchOf(first: number): MessageBatch {
  return {
    length: batchReadings,
    deviceIds: Array.from({ length: batchReadings }, (_, row) => `device-${(first + row) * 7919}`),
    sensors: builtInSensors,
    sensorCodes: new Uint16Array(batchReadings),
    timestampsMs: Float64Array.from({ length: batchReadings }, (_, row) => nowMs - seriesCount + first + row),
    values: Float64Array.from({ length: batchReadings }, (_, row) => (first + row) % 40),
  };
}

describe("a store of many series", () => {
  it("answers by sensor, pages through the series, and rejects too many rows before it computes them", async () => {
    using folder = temporaryFolder();
    const clock = (): number => nowMs;
    const open = () => openEmbeddedStore({ folder: folder.path, clock });
    await using first = await open();
    const appends = [];
    for (let place = 0; place < seriesCount; place += batchReadings)
      appends.push(first.log.append(batchOf(place)));
    await Promise.all(appends);
    await first.close();
    // The state read at the start equals the added state.
    await using store = await open();
    const query = createClient(
      QueryService,
      createRouterTransport(queryRoutes({ store: store.readings, clock }), {
        router: { interceptors: [createErrorInterceptor({ logger: silentLogger() })] },
      }),
    );

    const { rows } = await query.getAggregates({ groupBy: GroupBy.SENSOR });
    expect(rows).toMatchObject([
      { sensor: "temperature", count: BigInt(seriesCount), average: 19.5, minimum: 0, maximum: 39 },
    ]);
    const { buckets } = await query.listBuckets({
      groupBy: GroupBy.ALL,
      resolution: { case: "maxPoints", value: 20 },
    });
    expect(buckets.reduce((sum, { row }) => sum + (row?.count ?? 0n), 0n)).toBe(BigInt(seriesCount));
    await expect(query.getAggregates({})).rejects.toThrow(/rows of the answer/);

    const names: string[] = [];
    for (let pageToken = ""; names.length < 3000; ) {
      const page = await query.listSeries({ pageSize: 1000, pageToken });
      expect(page.total).toBe(BigInt(seriesCount));
      for (const { deviceId, count } of page.series) {
        expect(count).toBe(1n);
        names.push(deviceId);
      }
      pageToken = page.nextPageToken;
    }
    const all = Array.from({ length: seriesCount }, (_, place) => `device-${place * 7919}`).sort();
    expect(names).toEqual(all.slice(0, 3000));
  });
});
