import { createAccessFiles, createTestIssuer } from "@devicemesh/identity/testing/test-credentials";
import {
  createTestClient,
  errorOf,
  frameOf,
  thermostatReading,
} from "@devicemesh/ingest/testing/ingest-fixture";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { HealthClient } from "@devicemesh/proto/tsproto/grpc/health/v1/health.ts";
import { ServerReflectionClient } from "@devicemesh/proto/tsproto/grpc/reflection/v1/reflection.ts";
import { credentials, status } from "@grpc/grpc-js";
import { describe, expect, it, onTestFinished } from "vitest";
import { listReadings, startTestMesh } from "../testing/test-mesh.ts";

/** A reading of 2026, in the past by the clock of the process. */
function reading(deviceId: string) {
  return thermostatReading(deviceId, -300 * 86_400_000);
}

function clientOf(address: string) {
  const client = createTestClient(Number(address.split(":")[1]));
  onTestFinished(() => client.close());
  return client;
}

describe("the one address", () => {
  it("stores readings of a gRPC stream and of a JSON batch, and lists them", async () => {
    const mesh = await startTestMesh();
    const stream = await clientOf(mesh.query).publish(frameOf(reading("a"), reading("b b")));
    expect(stream).toMatchObject({ response: { accepted: 1n, refused: 1n } });
    const readings = [{ device_id: "c", timestamp: "2026-01-01T12:00:00Z", thermostat: { temperature: 0 } }];
    const batch = await fetch(`http://${mesh.query}/devicemesh.v1.IngestService/PublishReadingBatch`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ readings }),
    });
    expect(await batch.json()).toMatchObject({
      accepted: "1",
      refused: "0",
      refusedReadings: [],
      duplicates: "0",
    });
    expect((await listReadings(mesh)).map(({ deviceId }) => deviceId)).toEqual(["c", "a"]);
  });

  it("serves ingest on its separate port too, with the same store", async () => {
    const mesh = await startTestMesh();
    for (const address of [mesh.ingest, mesh.query]) {
      expect(await clientOf(address).publishBatch(frameOf(reading("a")))).toMatchObject({
        response: { accepted: 1n },
      });
    }
    expect(await listReadings(mesh)).toHaveLength(1);
  });

  it("has ingest in its health and in its reflection", async () => {
    const { query } = await startTestMesh();
    const health = new HealthClient(query, credentials.createInsecure());
    const reflection = new ServerReflectionClient(query, credentials.createInsecure());
    const serving = await new Promise((resolve, reject) =>
      health.check({ service: "devicemesh.v1.IngestService" }, (error, answer) =>
        error ? reject(error) : resolve(answer.status),
      ),
    );
    expect(serving).toBe(1);
    const listing = reflection.serverReflectionInfo();
    const listed = new Promise((resolve) => listing.once("data", resolve));
    listing.write({ host: "", messageRequest: { $case: "listServices", value: "" } });
    expect(JSON.stringify(await listed)).toContain("devicemesh.v1.IngestService");
    listing.end();
    health.close();
    reflection.close();
  });

  it("answers an open stream with UNAVAILABLE when the process ends, and acknowledges nothing of it", async () => {
    const mesh = await startTestMesh();
    const { call, outcome } = clientOf(mesh.query).openStream();
    call.write(frameOf(reading("a")));
    await waitUntil(async () => (await listReadings(mesh)).length === 1);
    await mesh.close();
    expect(errorOf(await outcome).code).toBe(status.UNAVAILABLE);
  });
});

describe("the address of users, with authentication", () => {
  it("does not show the data folder to strangers", async () => {
    using files = createAccessFiles();
    using folder = temporaryFolder();
    const jwks = files.write("jwks.json", (await createTestIssuer()).publicKeys);
    for (const identity of [[], ["--jwks", jwks]]) {
      const mesh = await startTestMesh("--data", folder.path, ...identity);
      const facts = await (await fetch(`http://${mesh.query}/facts.json`)).text();
      const page = await (await fetch(`http://${mesh.query}/latest`)).text();
      expect([facts.includes(folder.path), page.includes(folder.path)]).toEqual([
        identity.length === 0,
        false,
      ]);
      await mesh.close();
    }
  });

  it("accepts no readings, and returns the address that accepts them", async () => {
    using files = createAccessFiles();
    const mesh = await startTestMesh(
      "--jwks",
      files.write("jwks.json", (await createTestIssuer()).publicKeys),
    );
    const error = errorOf(await clientOf(mesh.query).publish(frameOf(reading("a"))));
    expect(error.code).toBe(status.UNIMPLEMENTED);
    expect(error.details).toContain(`it is served at ${mesh.ingest}`);
    expect(await clientOf(mesh.ingest).publish(frameOf(reading("a")))).toMatchObject({
      response: { accepted: 1n },
    });
  });
});
