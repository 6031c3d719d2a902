import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { Health, HealthCheckResponse_ServingStatus } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@devicemesh/proto/es/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "@devicemesh/proto/es/grpc/reflection/v1alpha/reflection_pb.ts";
import { describe, expect, it } from "vitest";
import { startTestQuery, temperature, transportsOf } from "../../testing/query-fixture.ts";

const readings = [temperature("a", -20_000, 20), temperature("a", -10_000, 24), temperature("b", -5000, 25)];

describe("query over every protocol", () => {
  for (const [place, [name]] of transportsOf("http://127.0.0.1:0").entries()) {
    it(`answers unary calls and watches: ${name}`, async () => {
      await using running = await startTestQuery();
      running.memory.append(readings);
      const [, transport] = transportsOf(running.baseUrl)[place]!;
      const client = createClient(QueryService, transport);
      const { rows, coverage } = await client.getAggregates({ groupBy: GroupBy.SENSOR });
      expect(rows).toMatchObject([{ sensor: "temperature", unit: "°C", count: 3n, sum: 69, average: 23 }]);
      expect(coverage).toMatchObject({ fromWindows: 0n, fromRaw: 3n });
      for await (const message of client.watchAggregates({ groupBy: GroupBy.ALL })) {
        expect(message.snapshot).toBe(true);
        expect(message.buckets.map(({ row }) => row?.count)).toEqual([1n, 2n]);
        break;
      }
    });
  }

  it("answers plain GET and POST with JSON", async () => {
    await using running = await startTestQuery();
    running.memory.append(readings);
    const path = `${running.baseUrl}/devicemesh.v1.QueryService/GetAggregates`;
    const message = encodeURIComponent(JSON.stringify({ groupBy: "GROUP_BY_ALL" }));
    const got = await fetch(`${path}?encoding=json&message=${message}`);
    const posted = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ groupBy: "GROUP_BY_ALL" }),
    });
    for (const response of [got, posted]) {
      expect(response.status).toBe(200);
      expect(response.headers.get("x-request-id")).toBeTruthy();
      expect(await response.json()).toMatchObject({
        rows: [{ count: "3", sum: 69, first: { timestamp: "2026-11-23T20:04:02Z", value: 20 } }],
      });
    }
  });

  it("reports SERVING, and lists its services by reflection v1 and v1alpha", async () => {
    await using running = await startTestQuery();
    const transport = createGrpcTransport({ baseUrl: running.baseUrl });
    const { status } = await createClient(Health, transport).check({ service: QueryService.typeName });
    expect(status).toBe(HealthCheckResponse_ServingStatus.SERVING);
    for (const service of [ServerReflection, ServerReflectionAlpha] as const) {
      const client = createClient<typeof ServerReflection>(service as typeof ServerReflection, transport);
      const answers = client.serverReflectionInfo(
        (async function* () {
          yield { messageRequest: { case: "listServices" as const, value: "" } };
        })(),
      );
      for await (const { messageResponse } of answers) {
        if (messageResponse.case !== "listServicesResponse") throw new Error("no list");
        expect(messageResponse.value.service.map(({ name }) => name)).toContain(QueryService.typeName);
      }
    }
  });

  it("lets pages of allowed origins call, and sends others no permission", async () => {
    await using running = await startTestQuery({ config: { corsOrigins: ["https://here.example"] } });
    const path = `${running.baseUrl}/devicemesh.v1.QueryService/GetAggregates`;
    const ask = (origin: string, method: string) =>
      fetch(path, {
        method,
        headers: { origin, "content-type": "application/json", "access-control-request-method": "POST" },
        ...(method === "POST" && { body: "{}" }),
      });
    const preflight = await ask("https://here.example", "OPTIONS");
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("https://here.example");
    expect(preflight.headers.get("access-control-allow-headers")).toMatch(/connect-protocol-version/i);
    expect(preflight.headers.get("access-control-allow-methods")).toBe("GET, POST");
    const answer = await ask("https://here.example", "POST");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://here.example");
    expect(answer.headers.get("access-control-expose-headers")).toMatch(/grpc-status/i);
    expect(answer.headers.get("vary")).toMatch(/origin/i);
    for (const method of ["OPTIONS", "POST"]) {
      const stranger = await ask("https://there.example", method);
      expect(stranger.headers.get("access-control-allow-origin")).toBeNull();
    }
  });

  it("allows no origin by default", async () => {
    await using running = await startTestQuery();
    const response = await fetch(`${running.baseUrl}/devicemesh.v1.QueryService/GetAggregates`, {
      method: "OPTIONS",
      headers: { origin: "https://here.example", "access-control-request-method": "POST" },
    });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(response.ok).toBe(false);
  });

  it("serves resources and further routes with health and reflection", async () => {
    await using running = await startTestQuery({
      dependencies: {
        httpRoutes: [
          {
            method: "GET",
            path: "/",
            handle(request, response) {
              response.setHeader("content-type", "text/plain");
              response.end(`page at ${request.url}`);
            },
          },
        ],
        extraRoutes: (router) => router.service(GeneratorService, { stopGenerator: () => ({}) }),
      },
    });
    expect(await (await fetch(`${running.baseUrl}/`)).text()).toBe("page at /");
    const transport = createGrpcTransport({ baseUrl: running.baseUrl });
    await createClient(GeneratorService, transport).stopGenerator({});
    const { status } = await createClient(Health, transport).check({ service: GeneratorService.typeName });
    expect(status).toBe(HealthCheckResponse_ServingStatus.SERVING);
  });
});
