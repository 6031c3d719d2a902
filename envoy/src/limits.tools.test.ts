import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { envoyBinary, startEdge } from "../testing/edge-fixture.ts";
import { createRawClient } from "../testing/raw-client-fixture.ts";

const listSeries = "/devicemesh.v1.QueryService/ListSeries";
type Edge = Awaited<ReturnType<typeof startEdge>>;

describe.skipIf(envoyBinary === undefined)("Envoy", () => {
  const folder = temporaryFolder();
  const accessLog = join(folder.path, "access.log");
  let edge: Edge;
  let url: string;
  beforeAll(async () => {
    edge = await startEdge({ accessLog, corsOrigins: ["https://page.example"] });
    url = `http://${edge.address}`;
  });
  afterAll(async () => {
    await edge?.close();
    folder[Symbol.dispose]();
  });

  it("removes the headers that carry an identity, and forwards the others", async () => {
    const claimed = {
      "x-devicemesh-device": "spiffe://devicemesh/device/someone-else",
      "x-devicemesh-jwt-payload": "e30",
      "x-forwarded-client-cert": "URI=spiffe://devicemesh/device/someone-else",
      "x-mine": "yes",
    };
    await fetch(`${url}/`, { headers: claimed });
    const headers = edge.seen.at(-1)?.headers ?? {};
    expect(Object.keys(claimed).filter((name) => headers[name] !== undefined)).toEqual(["x-mine"]);
    expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("rejects a header with an underscore, which some servers treat as one with a hyphen", async () => {
    const response = await fetch(`${url}/`, { headers: { x_devicemesh_device: "someone-else" } });
    expect(response.status).toBe(400);
  });

  it("serves only /ready and /stats/prometheus of its admin interface", async () => {
    const { port } = edge.envoy.metrics;
    const paths = [
      "/",
      "/ready",
      "/stats/prometheus",
      "/stats",
      "/config_dump",
      "/quitquitquit",
      "/healthcheck/fail",
    ];
    const tried = [...paths, "/ready/../config_dump", "/stats/prometheus/../../listeners", "/%72eady"];
    const answers: Record<string, number> = {};
    for (const path of tried) {
      answers[path] = (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    }
    const open = ["/ready", "/stats/prometheus", "/%72eady"];
    expect(answers).toEqual(Object.fromEntries(tried.map((path) => [path, open.includes(path) ? 200 : 404])));
    expect((await fetch(`http://127.0.0.1:${port}/ready`, { method: "POST" })).status).toBe(404);
    for (const path of ["/quitquitquit", "/logging?level=trace", "/runtime_modify?a=b"]) {
      expect((await edge.envoy.admin.post(path)).status).toBe(403);
    }
  });

  it("counts each RPC by service and method", async () => {
    using client = createRawClient(edge.address);
    await client.call(listSeries);
    const text = await (await fetch(`http://127.0.0.1:${edge.envoy.metrics.port}/stats/prometheus`)).text();
    const [line = ""] = /^envoy_cluster_grpc_success\{.* [1-9]\d*$/m.exec(text) ?? [];
    for (const label of [
      'cluster_name="query"',
      'service="devicemesh.v1.QueryService"',
      'method="ListSeries"',
    ]) {
      expect(line).toContain(label);
    }
  });

  it("answers preflights and calls of a page of an allowed origin, and of no other", async () => {
    const ask = (origin: string) =>
      fetch(`${url}${listSeries}`, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST" },
      });
    const allowed = await ask("https://page.example");
    expect(allowed.headers.get("access-control-allow-origin")).toBe("https://page.example");
    expect(allowed.headers.get("access-control-allow-headers")).toContain("Connect-Protocol-Version");
    const call = await fetch(`${url}${listSeries}`, {
      method: "POST",
      headers: { origin: "https://page.example", "content-type": "application/json" },
      body: "{}",
    });
    expect([call.status, call.headers.get("access-control-allow-origin")]).toEqual([
      200,
      "https://page.example",
    ]);
    expect(call.headers.get("access-control-expose-headers")).toContain("Grpc-Status");
    expect((await ask("https://other.example")).headers.get("access-control-allow-origin")).toBeNull();
  });

  it("writes one line of JSON for a call, with its path, code and backend", async () => {
    using client = createRawClient(edge.address);
    await client.call("/devicemesh.v1.QueryService/ListReadings");
    const lines = () =>
      readFileSync(accessLog, "utf8")
        .split("\n")
        .filter((line) => line.includes("QueryService/ListReadings"));
    await waitUntil(() => lines().length > 0);
    expect(JSON.parse(lines()[0] ?? "")).toMatchObject({
      path: "/devicemesh.v1.QueryService/ListReadings",
      grpc_status: "OK",
      cluster: "query",
      attempts: 1,
      protocol: "HTTP/2",
    });
  });
});

describe.skipIf(envoyBinary === undefined)("the rate limit", () => {
  it("answers RESOURCE_EXHAUSTED to gRPC and to Connect, with the delay before a retry", async () => {
    await using edge = await startEdge({ limits: { clientCallsPerSecond: 3 } });
    using client = createRawClient(edge.address);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => client.call(listSeries)));
    const refused = outcomes.filter(({ code }) => code !== 0);
    expect(refused.length).toBeGreaterThanOrEqual(14);
    expect(new Set(refused.map(({ code }) => code))).toEqual(new Set([status.RESOURCE_EXHAUSTED]));
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        fetch(`http://${edge.address}${listSeries}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: "{}",
        }),
      ),
    );
    const limited = answers.find((answer) => answer.status === 429);
    expect(limited?.headers.get("retry-after")).toBe("1");
    expect(await limited?.json()).toMatchObject({ code: "resource_exhausted" });
  });

  it("closes connections beyond the limit", async () => {
    await using edge = await startEdge({ limits: { connectionsMax: 2 } });
    const clients = Array.from({ length: 4 }, () => createRawClient(edge.address));
    const codes = await Promise.all(clients.map(async (client) => (await client.call(listSeries)).code));
    expect(codes.filter((code) => code === 0).length).toBeLessThanOrEqual(2);
    expect(codes).toContain(status.UNAVAILABLE);
    for (const client of clients) client[Symbol.dispose]();
  });
});
