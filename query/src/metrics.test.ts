import { startTestMetrics } from "@devicemesh/kit/testing/metrics-scrape";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { expect, it } from "vitest";
import { createMemoryReadingStore } from "../testing/memory-store/memory-reading-store.ts";
import { failureOf, startTestQuery, stuckStore, temperature } from "../testing/query-fixture.ts";
import { registerQueryMetrics } from "./metrics.ts";
import type { ReadingStore } from "./store/reading-store.ts";

const aggregates = {
  grpc_type: "unary",
  grpc_service: "devicemesh.v1.QueryService",
  grpc_method: "GetAggregates",
};
const watch = { ...aggregates, grpc_type: "server_stream", grpc_method: "WatchAggregates" };

it("exports every count from the start, all 0, and that the store is available", async () => {
  await using reported = await startTestMetrics();
  await using _ = await startTestQuery({ dependencies: { metrics: reported.metrics } });
  const { value } = await reported.scrape();
  for (const source of ["raw", "partials"]) {
    expect(value("devicemesh_query_rows_read_total", { source })).toBe(0);
  }
  for (const source of ["raw", "windows"]) {
    expect(value("devicemesh_query_readings_covered_total", { source })).toBe(0);
  }
  expect(value("devicemesh_query_watchers")).toBe(0);
  expect(value("devicemesh_query_store_reachable")).toBe(1);
  expect(value("grpc_server_started_total", watch)).toBe(0);
  expect(value("grpc_server_handled_total", { ...aggregates, grpc_code: "OK" })).toBe(0);
});

it("counts the reads of a store without hiding any of its properties", async () => {
  await using reported = await startTestMetrics();
  const { counted } = registerQueryMetrics(reported.metrics, {
    watchers: () => 0,
    isStoreReachable: () => true,
  });
  const { store } = createMemoryReadingStore({ clock: Date.now });
  const whole: Required<ReadingStore> = {
    ...store,
    isRemote: true,
    readSketches: async () => ({ sketches: [], notCovered: [] }),
    readLatestSeries: async () => ({ series: [], total: 0 }),
    lastChangeOf: () => 1,
  };
  expect(Object.keys(counted(whole)).toSorted()).toEqual(Object.keys(whole).toSorted());
  expect(Object.keys(counted(store)).toSorted()).toEqual(Object.keys(store).toSorted());
});

it("counts rows by their source, and calls by their result", async () => {
  await using reported = await startTestMetrics();
  await using running = await startTestQuery({ dependencies: { metrics: reported.metrics } });
  const { memory, client } = running;
  memory.append([temperature("a", 0), temperature("a", 1000), temperature("b", 0)]);
  running.advance(60_000);
  memory.fold();
  memory.append([temperature("c", 59_000)]);
  const { rows } = await client.getAggregates({});
  expect(rows.reduce((sum, { count }) => sum + Number(count), 0)).toBe(4);
  expect((await client.listReadings({ pageSize: 10 })).readings.length).toBe(4);
  await failureOf(client.getAggregates({ since: { seconds: 2n }, to: { seconds: 1n } }));
  await failureOf(client.listReadings({ pageToken: "forged" }));

  const { value, by } = await reported.scrape();
  expect(by("devicemesh_query_readings_covered_total", "source")).toEqual({ windows: 3, raw: 1 });
  expect(value("devicemesh_query_rows_read_total", { source: "raw" })).toBe(4);
  expect(value("devicemesh_query_rows_read_total", { source: "partials" })).toBeGreaterThanOrEqual(3);
  expect(by("grpc_server_handled_total", "grpc_code")).toEqual({ OK: 2, InvalidArgument: 2 });
  expect(value("grpc_server_handled_total", { ...aggregates, grpc_code: "InvalidArgument" })).toBe(1);
  expect(value("grpc_server_handling_seconds_count", aggregates)).toBe(2);
});

it("counts bytes that are not a message under the code that their sender receives", async () => {
  await using reported = await startTestMetrics();
  await using running = await startTestQuery({ dependencies: { metrics: reported.metrics } });
  const response = await fetch(`${running.baseUrl}/devicemesh.v1.QueryService/GetAggregates`, {
    method: "POST",
    headers: { "content-type": "application/proto" },
    body: new Uint8Array([0xff]),
  });
  expect(response.status).toBe(400);
  expect((await reported.scrape()).by("grpc_server_handled_total", "grpc_code")).toEqual({
    InvalidArgument: 1,
  });
});

it("counts open watches, and not rejected ones", async () => {
  await using reported = await startTestMetrics();
  await using running = await startTestQuery({
    config: { watchesMax: 1 },
    dependencies: { metrics: reported.metrics },
  });
  const caller = new AbortController();
  const messages = running.client.watchAggregates({}, { signal: caller.signal })[Symbol.asyncIterator]();
  await messages.next();
  const refused = running.client.watchAggregates({})[Symbol.asyncIterator]();
  await failureOf(refused.next());
  const during = await reported.scrape();
  expect(during.value("devicemesh_query_watchers")).toBe(1);
  expect(during.value("grpc_server_in_flight", watch)).toBe(1);
  expect(during.by("grpc_server_handled_total", "grpc_code")).toEqual({ ResourceExhausted: 1 });
  caller.abort();
  await failureOf(messages.next());
  await waitUntil(async () => (await reported.scrape()).value("devicemesh_query_watchers") === 0);
  const after = await reported.scrape();
  expect(after.value("grpc_server_in_flight", watch)).toBe(0);
  expect(after.by("grpc_server_handled_total", "grpc_code")).toEqual({ ResourceExhausted: 1, Canceled: 1 });
});

it("starts with a store that does not know its levels yet", async () => {
  await using reported = await startTestMetrics();
  await using running = await startTestQuery({
    wrap: (store) => ({
      ...store,
      get levels(): typeof store.levels {
        throw new Error("not known yet");
      },
    }),
    dependencies: { metrics: reported.metrics },
  });
  expect((await failureOf(running.client.getAggregates({}))).rawMessage).toBe("internal error");
  expect((await reported.scrape()).by("grpc_server_handled_total", "grpc_code")).toEqual({ Internal: 1 });
});

it("counts a call that took too long, and exports that the store is unavailable", async () => {
  await using reported = await startTestMetrics();
  await using running = await startTestQuery({
    config: { callTimeoutMs: 20 },
    wrap: stuckStore,
    dependencies: { metrics: reported.metrics },
  });
  await failureOf(running.client.getAggregates({}));
  running.query.setServing(false);
  const { value } = await reported.scrape();
  expect(value("grpc_server_handled_total", { ...aggregates, grpc_code: "DeadlineExceeded" })).toBe(1);
  expect(value("devicemesh_query_store_reachable")).toBe(0);
});
