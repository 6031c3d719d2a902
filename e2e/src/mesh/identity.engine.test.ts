import { readFileSync } from "node:fs";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { findCredentials } from "@devicemesh/mesh";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificates } from "../../testing/examples/mesh-behind-envoy-fixture.ts";
import { type RealMesh, startRealMesh } from "../../testing/mesh/real-mesh.ts";
import { everyMs } from "../../testing/mesh/waits.ts";
import { createPublisher, readingOf } from "../../testing/publisher.ts";

const engines = await testEngines();
const mine = {
  deviceId: "my-thermostat",
  sensor: "temperature",
  timestampMs: Date.now(),
  value: 20,
} as const;

describe.skipIf(engines === undefined)("the real mesh with what npm run certs makes", () => {
  const made = makeCertificates();
  let mesh: RealMesh;
  beforeAll(async () => {
    mesh = await startRealMesh(engines!, "identity", {
      identity: { credentials: findCredentials(made.folder), publicPort: 0, devicesPort: 0 },
      devices: 4,
    });
  }, 300_000);
  afterAll(async () => {
    await mesh?.[Symbol.asyncDispose]();
    made[Symbol.dispose]();
  }, 60_000);

  it("stores the generator's readings with a gateway's certificate, and returns them to a user with a token", async () => {
    await waitUntil(async () => (await mesh.query.listSeries({})).total >= 4n, {
      timeoutMs: 120_000,
      everyMs,
      what: "the series of four devices",
    });
    const { series } = await mesh.query.listSeries({});
    expect(series.every(({ deviceId }) => deviceId.startsWith("demo-"))).toBe(true);
  }, 150_000);

  it("accepts a device's own reading on the listener for devices, and no other reading", async () => {
    const file = (name: string) => readFileSync(`${made.folder}/${name}`);
    const shown = credentials.createSsl(
      file("ca.pem"),
      file("device-my-thermostat-key.pem"),
      file("device-my-thermostat.pem"),
    );
    using publisher = createPublisher(mesh.services.frontDoor?.devicesAddress ?? "", shown);
    const foreign = { ...mine, deviceId: "demo-thermostat-0001" };
    expect(await publisher.publish([readingOf(mine), readingOf(foreign)])).toMatchObject({
      accepted: 1n,
      refused: 1n,
    });
  });

  it("authenticates no client on the plain listener", async () => {
    const plain = createClient(QueryService, createGrpcTransport({ baseUrl: `http://${mesh.address}` }));
    const asked = plain.listSeries({}).then(
      () => undefined,
      (error: unknown) => ConnectError.from(error).code,
    );
    expect(await asked).toBe(Code.Unauthenticated);
    using publisher = createPublisher(mesh.address);
    await expect(publisher.publish([readingOf(mine)])).rejects.toThrow(/certificate/i);
  });
});
