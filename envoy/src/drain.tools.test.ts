import { connect } from "node:net";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { envoyBinary, localhost, quietEnvoy, startEdge } from "../testing/edge-fixture.ts";
import { createUnitClient, readingsOf } from "../testing/unit-client-fixture.ts";
import { startEnvoy } from "./start-envoy.ts";

describe.skipIf(envoyBinary === undefined)("a drain", () => {
  it("lets open units continue to their end, long after it stops accepting new ones", async () => {
    await using edge = await startEdge({ drainMs: 1000, openCallsMs: 20_000 });
    const units = Array.from({ length: 40 }, (_, i) => ({
      device: `drain-${i}`,
      client: createUnitClient(edge.address),
    })).map(({ device, client }) => ({ device, client, unit: client.open() }));
    for (const { device, unit } of units) unit.write(readingsOf(device, 0, 10));
    await waitUntil(() => edge.ingest.stats().openStreams === units.length);

    let closed = false;
    const closing = edge.envoy.close().then(() => {
      closed = true;
    });
    await waitUntil(async () => (await readiness(edge.envoy.metrics.port)) === 503, { what: "not ready" });
    for (const { device, unit } of units) unit.write(readingsOf(device, 10, 10));
    await waitUntil(async () => !(await accepts(edge.envoy.plain.port)), { what: "no new connections" });
    expect(closed).toBe(false);
    for (const { device, unit } of units) unit.write(readingsOf(device, 20, 10));

    const outcomes = await Promise.all(units.map(({ unit }) => unit.end()));
    expect(outcomes).toEqual(units.map(() => ({ kind: "acked", accepted: 30 })));
    await closing;
    expect(edge.memory.readAll()).toHaveLength(units.length * 30);
    for (const { client } of units) client[Symbol.dispose]();
  });

  it("under load, with another Envoy beside it, fails no call", async () => {
    await using edge = await startEdge({ drainMs: 1000, openCallsMs: 20_000 });
    await using other = await startEnvoy({
      ...quietEnvoy,
      ingest: [localhost(edge.ingest.port)],
      query: [localhost(edge.query.port)],
      generator: [localhost(edge.query.port)],
    });
    let stop = false;
    let sent = 0;
    const viaOther: number[] = [];
    const failures: unknown[] = [];

    /** Sends one unit after the other to the instance that is ready, like a balancer in front. */
    async function sendUnits(device: string): Promise<void> {
      using first = createUnitClient(edge.address);
      using second = createUnitClient(`127.0.0.1:${other.plain.port}`);
      for (let unit = 0; !stop; unit++) {
        const ready = (await readiness(edge.envoy.metrics.port)) === 200;
        const frames = Array.from({ length: 4 }, (_, i) => readingsOf(device, unit * 40 + i * 10, 10));
        const outcome = await (ready ? first : second).send(frames);
        if (outcome.kind === "failed") failures.push(outcome);
        if (!ready) viaOther.push(unit);
        sent += 40;
      }
    }
    const senders = Array.from({ length: 8 }, (_, i) => sendUnits(`load-${i}`));
    await waitUntil(() => sent > 2000, { timeoutMs: 20_000 });
    await edge.envoy.close();
    await waitUntil(() => viaOther.length > 50, { timeoutMs: 20_000 });
    stop = true;
    await Promise.all(senders);
    expect(failures).toEqual([]);
    expect(edge.memory.readAll()).toHaveLength(sent);
    expect(edge.memory.messages).toHaveLength(sent);
  });
});

/** Returns the status of /ready, or undefined if there is no answer. */
async function readiness(port: number): Promise<number | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.status;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
