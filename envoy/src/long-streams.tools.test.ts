import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestAuthority, writeKeyPair } from "@devicemesh/identity/testing/test-credentials";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { credentials } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { startBackend } from "../testing/backend-fixture.ts";
import { envoyBinary, localhost, quietEnvoy, startEdge } from "../testing/edge-fixture.ts";
import { createRawClient } from "../testing/raw-client-fixture.ts";
import { createUnitClient, readingsOf } from "../testing/unit-client-fixture.ts";
import type { Admin } from "./admin.ts";
import { startEnvoy } from "./start-envoy.ts";

const watch = "/devicemesh.v1.QueryService/WatchAggregates";

async function countOf(admin: Admin, name: string): Promise<number> {
  const { body } = await admin.get(`/stats?filter=^${name}$`);
  return Number(/: (\d+)/.exec(body)?.[1]);
}

describe.skipIf(envoyBinary === undefined)("long streams", () => {
  it("may be more than the 1,024 of Envoy's defaults, all open at once", async () => {
    await using backend = await startBackend("silent");
    await using envoy = await startEnvoy({
      ...quietEnvoy,
      openCallsMs: 0,
      ingest: [localhost(backend.port)],
      query: [localhost(backend.port)],
      generator: [localhost(backend.port)],
    });
    // A connection has at most 256.
    const clients = Array.from({ length: 6 }, () => createRawClient(`127.0.0.1:${envoy.plain.port}`));
    const streams = clients.flatMap((client) => Array.from({ length: 200 }, () => client.open(watch)));
    let ended = 0;
    for (const stream of streams) void stream.ended.then(() => ended++);
    await waitUntil(() => backend.attempts(watch) + ended >= streams.length, {
      timeoutMs: 60_000,
      what: "all are open",
    });
    expect({ open: backend.attempts(watch), ended }).toEqual({ open: 1200, ended: 0 });
    for (const stream of streams) stream.cancel();
    for (const client of clients) client[Symbol.dispose]();
  }, 90_000);

  it("of devices outlast the renewal of their connection, and no unit fails", async () => {
    using folder = temporaryFolder();
    const authority = await createTestAuthority();
    const authorityFile = join(folder.path, "authority.pem");
    writeFileSync(authorityFile, authority.certificate);
    const { certificate, key } = await authority.client("spiffe://devicemesh/gateway/renewed");
    await using edge = await startEdge({
      devices: {
        ...localhost(0),
        ...writeKeyPair(folder.path, "server", authority.server),
        authority: authorityFile,
        trustDomain: "devicemesh",
      },
      // An hour, shortened to a second.
      edit: (text) =>
        text
          .replace("max_connection_duration: 3600s", "max_connection_duration: 1s")
          .replaceAll("drain_timeout: 5s", "drain_timeout: 1s"),
    });
    const { admin, devices } = edge.envoy;
    using client = createUnitClient(
      `localhost:${devices?.port}`,
      credentials.createSsl(Buffer.from(authority.certificate), Buffer.from(key), Buffer.from(certificate)),
    );
    const long = client.open();
    long.write(readingsOf("renewed-long", 0, 10));
    const renewals = () => countOf(admin, "http.devices.downstream_cx_max_duration_reached");
    let units = 0;
    while ((await renewals()) < 3) {
      expect(await client.send([readingsOf("renewed", units * 10, 10)])).toEqual({
        kind: "acked",
        accepted: 10,
      });
      units++;
    }
    expect(await countOf(admin, "http.devices.downstream_cx_total")).toBeGreaterThanOrEqual(3);
    long.write(readingsOf("renewed-long", 10, 10));
    expect(await long.end()).toEqual({ kind: "acked", accepted: 20 });
    expect(edge.memory.readAll()).toHaveLength(units * 10 + 20);
  }, 60_000);
});
