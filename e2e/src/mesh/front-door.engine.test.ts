import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { installEnvoy } from "@devicemesh/engines";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { startEnvoy } from "@devicemesh/envoy";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectExact } from "../../testing/mesh/exact-sets.ts";
import { type RealMesh, startRealMesh } from "../../testing/mesh/real-mesh.ts";
import { startSteadyLoad } from "../../testing/mesh/steady-load.ts";
import { everyMs } from "../../testing/mesh/waits.ts";

const engines = await testEngines();
const limitMs = 240_000;

describe.skipIf(engines === undefined)("the front door of the real mesh", () => {
  let mesh: RealMesh;
  beforeAll(async () => {
    mesh = await startRealMesh(engines!, "front-door");
  }, 300_000);
  afterAll(async () => {
    await mesh?.[Symbol.asyncDispose]();
  }, 60_000);

  it("is drained under load while another one runs, and no unit breaks or is lost", async () => {
    const prefix = "drained.";
    const behind = (name: "ingest" | "query") => {
      const [host = "", port] = mesh.services.get(name).address.split(":");
      return [{ host, port: Number(port) }];
    };
    await using first = await startEnvoy({
      binary: await installEnvoy(),
      plain: { host: "127.0.0.1", port: 0 },
      metrics: { host: "127.0.0.1", port: 0 },
      ingest: behind("ingest"),
      query: behind("query"),
      generator: behind("query"),
      drainMs: 2000,
      openCallsMs: 60_000,
    });
    const firstAddress = `127.0.0.1:${first.plain.port}`;
    let target = firstAddress;
    const load = startSteadyLoad({ target: () => target, prefix });
    const ackedAt = { first: 0, second: 0 };
    load.onAck = ({ length }) => {
      ackedAt[target === firstAddress ? "first" : "second"] += length;
    };
    try {
      await waitUntil(() => load.acked.size >= 2000, { timeoutMs: limitMs, everyMs, what: "readings flow" });
      const closing = first.close();
      // The balancer's next check finds that this instance is no longer ready.
      await waitUntil(async () => (await readiness(first.metrics.port)) === 503, { what: "it drains" });
      target = mesh.address;
      await closing;
      await waitUntil(() => ackedAt.second >= 2000, { timeoutMs: limitMs, everyMs, what: "they flow on" });
      await load.finish();
    } finally {
      load.abort();
    }
    expect(load.resent).toBe(0);
    await mesh.untilComplete();
    await expectExact(mesh, load, prefix);
  }, 600_000);

  it("and ingest are killed while the generator sends through it, and exactly the acknowledged readings are stored", async () => {
    const generator = createClient(
      GeneratorService,
      createGrpcTransport({ baseUrl: `http://${mesh.services.get("generator").address}` }),
    );
    const statusNow = async () => (await generator.getGeneratorStatus({})).status;
    const acked = async () => Number((await statusNow())?.acked ?? 0n);
    await generator.startGenerator({ devices: 200, interval: { seconds: 0n, nanos: 500_000_000 } });
    const more = async (what: string) => {
      const before = await acked();
      await waitUntil(async () => (await acked()) > before + 1500, { timeoutMs: limitMs, everyMs, what });
    };
    await more("readings flow");
    for (const name of ["envoy", "ingest", "envoy"] as const) {
      await mesh.services.get(name).kill();
      await more(`readings flow after the death of ${name}`);
    }
    await generator.stopGenerator({});
    await waitUntil(async () => (await statusNow())?.outbox === 0n, { timeoutMs: limitMs, everyMs });
    const status = await statusNow();
    await mesh.untilComplete();
    const stored = [...(await mesh.storedIdentities())].filter(
      (identity) => !identity.startsWith("drained."),
    );
    expect(status).toMatchObject({ dropped: 0n, refused: 0n });
    expect({ sent: status?.sent, acked: status?.acked }).toEqual({
      sent: BigInt(stored.length),
      acked: BigInt(stored.length),
    });
  }, 600_000);
});

/** Returns the status of /ready, or undefined if there is no answer. */
async function readiness(metricsPort: number): Promise<number | undefined> {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/ready`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.status;
}
