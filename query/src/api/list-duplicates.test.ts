import { createClient, createRouterTransport } from "@connectrpc/connect";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { createErrorInterceptor } from "@devicemesh/kit/rpc/connect-status";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { describe, expect, it } from "vitest";
import { createMemoryReadingStore } from "../../testing/memory-store/memory-reading-store.ts";
import { queryRoutes } from "./routes.ts";

const nowMs = Date.UTC(2026, 10, 23, 20, 4, 20);

function openService() {
  const clock = () => nowMs;
  const memory = createMemoryReadingStore({ clock });
  const transport = createRouterTransport(queryRoutes({ store: memory.store, clock }), {
    router: { interceptors: [createErrorInterceptor({ logger: silentLogger() })] },
  });
  const readings = ["a", "b", "c", "d"].map((deviceId) => ({
    deviceId,
    sensor: "temperature" as const,
    timestampMs: nowMs - 1000,
    value: 20,
  }));
  memory.append([...readings, ...readings.slice(0, 3), { ...readings[1]!, value: 21.5 }]);
  return createClient(QueryService, transport);
}

describe("ListDuplicates", () => {
  it("returns counts and the latest conflicts with both values, of the series that had any", async () => {
    const { series, nextPageToken } = await openService().listDuplicates({});
    expect(nextPageToken).toBe("");
    expect(series.map(({ deviceId, duplicates, conflicts }) => [deviceId, duplicates, conflicts])).toEqual([
      ["a", 1n, 0n],
      ["b", 1n, 1n],
      ["c", 1n, 0n],
    ]);
    expect(series[1]?.unit).toBe("°C");
    expect(series[1]?.latestConflicts).toMatchObject([
      {
        timestamp: { seconds: BigInt(nowMs / 1000 - 1) },
        storedValue: 20,
        refusedValue: 21.5,
        arrived: { seconds: BigInt(nowMs / 1000) },
      },
    ]);
  });

  it("pages, and rejects a token of another query", async () => {
    const client = openService();
    const devices: string[] = [];
    let pageToken = "";
    do {
      const page = await client.listDuplicates({ pageSize: 2, pageToken });
      devices.push(...page.series.map(({ deviceId }) => deviceId));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(devices).toEqual(["a", "b", "c"]);
    const { nextPageToken } = await client.listDuplicates({ pageSize: 1 });
    await expect(client.listDuplicates({ pageToken: nextPageToken, deviceIds: ["a"] })).rejects.toThrow(
      /page_token/,
    );
    await expect(client.listSeries({ pageToken: nextPageToken })).rejects.toThrow(/page_token/);
  });
});
