import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { envoyBinary, startEdge } from "../testing/edge-fixture.ts";
import { createRawClient } from "../testing/raw-client-fixture.ts";

const listSeries = "/devicemesh.v1.QueryService/ListSeries";

describe.skipIf(envoyBinary === undefined)("an Envoy that has too much to do", () => {
  it("rejects calls when it is short of memory, in the caller's protocol, and serves its counters", async () => {
    // Less memory than it needs for itself.
    await using edge = await startEdge({ limits: { heapBytesMax: 1_000_000 } });
    const metrics = `http://127.0.0.1:${edge.envoy.metrics.port}`;
    const counters = async () => (await fetch(`${metrics}/stats/prometheus`)).text();
    const isShort = /^envoy_overload_envoy_overload_actions_stop_accepting_requests_active\{\} 1$/m;
    await waitUntil(async () => isShort.test(await counters()), { what: "it detects and reports it" });
    expect((await fetch(`${metrics}/ready`)).status).toBe(200);
    const answer = await fetch(`http://${edge.address}${listSeries}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect([answer.status, (await answer.json()) as unknown]).toEqual([
      503,
      { code: "unavailable", message: "envoy overloaded" },
    ]);
    using client = createRawClient(edge.address);
    expect((await client.call(listSeries)).code).toBe(status.UNAVAILABLE);
  });

  it("serves its counters when connections are at their limit", async () => {
    await using edge = await startEdge({ limits: { connectionsMax: 1 } });
    using first = createRawClient(edge.address);
    expect((await first.call(listSeries)).code).toBe(0);
    using second = createRawClient(edge.address);
    expect((await second.call(listSeries)).code).toBe(status.UNAVAILABLE);
    expect((await fetch(`http://127.0.0.1:${edge.envoy.metrics.port}/ready`)).status).toBe(200);
  });
});
