import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { systemClock } from "@devicemesh/client/clock";
import { startFakeIngest } from "@devicemesh/client/testing/fake-ingest";
import { type Scrape, scrape } from "@devicemesh/kit/testing/metrics-scrape";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { expect, it } from "vitest";
import { runCli } from "./cli.ts";

const start = {
  grpc_type: "unary",
  grpc_service: "devicemesh.v1.GeneratorService",
  grpc_method: "StartGenerator",
};

/** Runs `serve` with a metrics port, like the command line. */
async function startServe(...args: readonly string[]) {
  const interruption = new AbortController();
  let printed = "";
  const exit = runCli({
    args: ["serve", "--idle", "--port", "0", "--metrics-port", "0", "--log-level", "silent", ...args],
    env: {},
    stdout: { write: (text) => (printed += text) },
    stderr: { write: () => true },
    clock: systemClock,
    interrupted: interruption.signal,
  });
  await waitUntil(() => printed.includes("metrics on"));
  const [, address, metrics] =
    /^listening on (127\.0\.0\.1:\d+)\nmetrics on (127\.0\.0\.1:\d+)\n$/.exec(printed) ?? [];
  if (!address || !metrics) throw new Error(printed);
  return {
    metrics,
    client: createClient(GeneratorService, createGrpcTransport({ baseUrl: `http://${address}` })),
    async [Symbol.asyncDispose]() {
      interruption.abort();
      await exit;
    },
  };
}

const outcomes = (reported: Scrape) => reported.by("devicemesh_generator_readings_total", "outcome");

it("counts sent readings and their results, failed deliveries, and calls", async () => {
  await using ingest = await startFakeIngest({
    fate: (unit) =>
      unit === 0
        ? { kind: "fail", when: "end", stored: false, code: "UNAVAILABLE", retryDelayMs: 1 }
        : { kind: "ack" },
    refuses: ({ measurement }) => measurement?.$case === "thermostat",
  });
  await using serve = await startServe("--target", ingest.target);
  const before = await scrape(serve.metrics);
  for (const outcome of ["sent", "acknowledged", "refused", "dropped"]) {
    expect(before.value("devicemesh_generator_readings_total", { outcome })).toBe(0);
  }
  expect(before.value("devicemesh_generator_devices")).toBe(0);
  expect(before.value("devicemesh_generator_delivery_retries_total")).toBe(0);

  await serve.client.startGenerator({ devices: 4, interval: { nanos: 20_000_000 } });
  expect((await scrape(serve.metrics)).value("devicemesh_generator_devices")).toBe(4);
  await waitUntil(async () => (await serve.client.getGeneratorStatus({})).status!.acked >= 20n);
  await serve.client.stopGenerator({});
  // A second start does not reset the counters, unlike the counts of the status.
  await serve.client.startGenerator({ devices: 1 });
  await serve.client.stopGenerator({});

  const reported = await scrape(serve.metrics);
  const { sent = 0, acknowledged = 0, refused = 0, dropped = 0 } = outcomes(reported);
  expect(acknowledged).toBe(ingest.stored.length);
  expect(refused).toBeGreaterThan(0);
  expect([sent, dropped]).toEqual([acknowledged + refused, 0]);
  expect(reported.value("devicemesh_generator_outbox_readings")).toBe(0);
  expect(reported.value("devicemesh_generator_delivery_retries_total")).toBe(1);
  expect(reported.value("devicemesh_generator_devices")).toBe(0);
  expect(reported.value("grpc_server_handled_total", { ...start, grpc_code: "OK" })).toBe(2);
});

it("exports pending readings, in memory and on disk, while ingest is unavailable", async () => {
  using folder = temporaryFolder();
  await using serve = await startServe(
    ...["--target", "127.0.0.1:1", "--spill", folder.path, "--outbox-readings", "6000", "--stop-limit", "0s"],
  );
  await serve.client.startGenerator({ devices: 2000, interval: { nanos: 100_000_000 } });
  await waitUntil(
    async () => ((await scrape(serve.metrics)).value("devicemesh_generator_outbox_spilled_bytes") ?? 0) > 0,
    { everyMs: 50, timeoutMs: 20_000 },
  );
  await serve.client.stopGenerator({});
  const reported = await scrape(serve.metrics);
  const { sent = 0, dropped = 0, ...others } = outcomes(reported);
  expect(others).toEqual({});
  expect(reported.value("devicemesh_generator_outbox_readings")).toBe(sent - dropped);
  expect(reported.value("devicemesh_generator_delivery_retries_total")).toBeGreaterThan(0);
});
