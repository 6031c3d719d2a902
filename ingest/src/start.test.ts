import { once } from "node:events";
import { connect } from "node:net";
import { PortInUseError } from "@devicemesh/kit/server/port-in-use-error";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import {
  HealthClient,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "@devicemesh/proto/tsproto/grpc/health/v1/health.ts";
import { ServerReflectionClient } from "@devicemesh/proto/tsproto/grpc/reflection/v1/reflection.ts";
import { ServerReflectionClient as AlphaClient } from "@devicemesh/proto/tsproto/grpc/reflection/v1alpha/reflection.ts";
import { credentials, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import {
  createTestClient,
  detailsOf,
  errorOf,
  frameOf,
  startTestIngest,
  thermostatReading,
} from "../testing/ingest-fixture.ts";
import { ingestConfig } from "./limits.ts";

describe("ingest", () => {
  it.each([
    ["v1", ServerReflectionClient],
    ["v1alpha", AlphaClient],
  ])("lists its services by reflection %s", async (_, ReflectionClient) => {
    await using test = await startTestIngest();
    const client = new ReflectionClient(`127.0.0.1:${test.ingest.port}`, credentials.createInsecure());
    const call = client.serverReflectionInfo();
    call.write({ host: "", messageRequest: { $case: "listServices", value: "" } });
    const [response] = await once(call, "data");
    call.end();
    client.close();
    expect(response.messageResponse.value.service.map(({ name }: { name: string }) => name)).toContain(
      "devicemesh.v1.IngestService",
    );
  });

  it("is SERVING by the health service", async () => {
    await using test = await startTestIngest();
    expect(await healthOf(test.ingest.port)).toBe(ServingStatus.SERVING);
  });

  it("is NOT_SERVING while it is set so, and permanently once it closes", async () => {
    await using test = await startTestIngest({
      dependencies: { serving: false },
      config: { shutdownGraceMs: 60_000 },
    });
    expect(await healthOf(test.ingest.port)).toBe(ServingStatus.NOT_SERVING);
    test.ingest.setServing(true);
    expect(await healthOf(test.ingest.port)).toBe(ServingStatus.SERVING);
    const { call, outcome } = test.client.openStream();
    call.write(frameOf(thermostatReading("a")));
    await waitUntil(() => test.memory.messages.length === 1);
    const closed = test.ingest.close();
    test.ingest.setServing(true);
    expect(await healthOf(test.ingest.port)).toBe(ServingStatus.NOT_SERVING);
    call.end();
    await Promise.all([outcome, closed]);
  });

  it("names the address when the port is in use", async () => {
    await using test = await startTestIngest();
    const { port } = test.ingest;
    const second = startTestIngest({ config: { port } });
    await expect(second).rejects.toThrow(PortInUseError);
    await expect(second).rejects.toThrow(`127.0.0.1:${port}`);
  });

  it("rejects limits that no full frame could satisfy", () => {
    expect(() => ingestConfig({ unitReadingsMax: 999 })).toThrow("unitReadingsMax");
    expect(() => ingestConfig({ readingsInFlightMax: 999 })).toThrow("readingsInFlightMax");
    expect(() => ingestConfig({ streamAppendsMax: 0 })).toThrow("streamAppendsMax");
  });
});

describe("closing ingest", () => {
  it("lets open units finish, and reports NOT_SERVING and UNAVAILABLE meanwhile", async () => {
    await using test = await startTestIngest({ config: { shutdownGraceMs: 5000 } });
    const { call, outcome } = test.client.openStream();
    call.write(frameOf(thermostatReading("a", 0)));
    await waitUntil(() => test.memory.messages.length === 1);

    const closed = test.ingest.close();
    expect(await healthOf(test.ingest.port)).toBe(ServingStatus.NOT_SERVING);
    const late = errorOf(await test.client.publish(frameOf(thermostatReading("b"))));
    expect(late.code).toBe(status.UNAVAILABLE);
    expect(detailsOf(late).retryInfo).toBeDefined();

    call.write(frameOf(thermostatReading("a", 1)));
    call.end();
    expect(await outcome).toMatchObject({ kind: "ok", response: { accepted: 2n } });
    await closed;
    expect(test.memory.messages).toHaveLength(2);
  });

  it.each([
    ["waits for frames", false],
    ["waits for the log", true],
  ])("cuts a unit that %s too long, with UNAVAILABLE", async (_, isLogBlocked) => {
    await using test = await startTestIngest({ config: { shutdownGraceMs: 50 } });
    if (isLogBlocked) test.memory.hold();
    const { call, outcome } = test.client.openStream();
    call.write(frameOf(thermostatReading("a")));
    await waitUntil(() => test.ingest.stats().frames === 1);
    await test.ingest.close();
    const error = errorOf(await outcome);
    expect(error.code).toBe(status.UNAVAILABLE);
    expect(detailsOf(error).retryInfo).toBeDefined();
    expect(test.ingest.stats()).toMatchObject({ accepted: 0, units: 0, openStreams: 0 });
  });

  it("also cuts units that wait for capacity", async () => {
    await using test = await startTestIngest({ config: { shutdownGraceMs: 50, readingsInFlightMax: 1000 } });
    test.memory.hold();
    const frame = frameOf(...Array.from({ length: 600 }, (_, i) => thermostatReading("a", i)));
    const outcomes = [
      test.client.publish(frame),
      test.client.publish(frame),
      test.client.publishBatch(frame),
    ];
    await waitUntil(() => test.ingest.stats().frames === 3);
    await test.ingest.close();
    for (const outcome of await Promise.all(outcomes)) expect(errorOf(outcome).code).toBe(status.UNAVAILABLE);
    test.memory.release();
    await waitUntil(() => test.ingest.stats().readingsInFlight === 0);
  });

  it("frees the port, and may be closed twice", async () => {
    await using test = await startTestIngest();
    const first = test.ingest.close();
    expect(test.ingest.close()).toBe(first);
    await first;
    await test.ingest.close();
    const socket = connect(test.ingest.port, "127.0.0.1");
    const [error] = await once(socket, "error");
    expect(error.code).toBe("ECONNREFUSED");
  });

  it("does not wait for the grace period if no call is open, even if clients are connected", async () => {
    // Longer than the time limit of a test.
    await using test = await startTestIngest({ config: { shutdownGraceMs: 600_000 } });
    const idle = createTestClient(test.ingest.port);
    await idle.publish();
    await expect(test.ingest.close()).resolves.toBeUndefined();
    idle.close();
  });
});

async function healthOf(port: number): Promise<ServingStatus> {
  const client = new HealthClient(`127.0.0.1:${port}`, credentials.createInsecure());
  const { promise, resolve, reject } = Promise.withResolvers<ServingStatus>();
  client.check({ service: "devicemesh.v1.IngestService" }, (error, response) => {
    if (error) reject(error);
    else resolve(response.status);
  });
  return promise.finally(() => client.close());
}
