import { ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { type Ingest, ingestConfig, startIngest } from "@devicemesh/ingest";
import { createMemoryMessageLog } from "@devicemesh/ingest/testing/memory-message-log";
import { addHealthRoutes } from "@devicemesh/kit/health/connect-health";
import { createHealth, type Health as HealthState } from "@devicemesh/kit/health/health";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { startOnePortServer } from "@devicemesh/kit/server/one-port-server";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { readContractImage } from "@devicemesh/proto/image";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { envoyBinary, localhost, quietEnvoy } from "../testing/edge-fixture.ts";
import { startEnvoy } from "./start-envoy.ts";

const serviceOf = {
  ingest: "devicemesh.v1.IngestService",
  query: "devicemesh.v1.QueryService",
  generator: "devicemesh.v1.GeneratorService",
  aggregator: "devicemesh.v1.AggregatorService",
} as const;

const nameOf = (status: Status) => Object.entries(Status).find(([, value]) => value === status)?.[0];

/** A server that knows only the health of one service. */
async function startHealthServer(service: string) {
  const health = createHealth([service]);
  const server = await startOnePortServer({
    host: "127.0.0.1",
    port: 0,
    handler: connectNodeAdapter({ routes: (router) => addHealthRoutes(router, health) }),
    shutdownGraceMs: 0,
    onClosing: () => health.close(),
  });
  return { ...server, health };
}

describe.skipIf(envoyBinary === undefined)("health through Envoy", () => {
  const stack = new AsyncDisposableStack();
  let ingest: Ingest;
  let states: Record<Exclude<keyof typeof serviceOf, "ingest">, HealthState>;
  let transports: Record<"gRPC" | "gRPC-Web" | "Connect's JSON", Transport>;

  beforeAll(async () => {
    ingest = stack.use(
      await startIngest(ingestConfig({ port: 0, shutdownGraceMs: 0 }), {
        log: createMemoryMessageLog().log,
        clock: Date.now,
        logger: silentLogger(),
        image: readContractImage(),
      }),
    );
    const query = stack.use(await startHealthServer(serviceOf.query));
    const generator = stack.use(await startHealthServer(serviceOf.generator));
    const aggregator = stack.use(await startHealthServer(serviceOf.aggregator));
    states = { query: query.health, generator: generator.health, aggregator: aggregator.health };
    const envoy = stack.use(
      await startEnvoy({
        ...quietEnvoy,
        openCallsMs: 0,
        ingest: [localhost(ingest.port)],
        query: [localhost(query.port)],
        generator: [localhost(generator.port)],
        aggregator: [localhost(aggregator.port)],
      }),
    );
    const baseUrl = `http://127.0.0.1:${envoy.plain.port}`;
    transports = {
      gRPC: createGrpcTransport({ baseUrl }),
      "gRPC-Web": createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
      "Connect's JSON": createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
    };
  });
  afterAll(() => stack.disposeAsync());

  async function reported(transport: Transport, service: string, headers = {}): Promise<string | undefined> {
    try {
      return nameOf((await createClient(Health, transport).check({ service }, { headers })).status);
    } catch (error) {
      return ConnectError.from(error).message;
    }
  }
  const reportedOfAll = async (transport: Transport) =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(serviceOf).map(async ([name, service]) => [name, await reported(transport, service)]),
      ),
    );

  it.each(["gRPC", "gRPC-Web", "Connect's JSON"] as const)(
    "is that of the requested service, in %s",
    async (protocol) => {
      const transport = transports[protocol];
      const all = {
        ingest: "SERVING",
        query: "SERVING",
        generator: "SERVING",
        aggregator: "SERVING",
      };
      expect(await reportedOfAll(transport)).toEqual(all);
      for (const unavailable of Object.keys(serviceOf) as (keyof typeof serviceOf)[]) {
        const { setServing } = unavailable === "ingest" ? ingest : states[unavailable];
        setServing(false);
        expect(await reportedOfAll(transport)).toEqual({ ...all, [unavailable]: "NOT_SERVING" });
        setServing(true);
      }
    },
  );

  it("is that of query for the server as a whole, and for unknown names", async () => {
    const { gRPC: transport } = transports;
    expect(await reported(transport, "")).toBe("SERVING");
    for (const name of [
      "devicemesh.v1.Unknown",
      "devicemesh.v1.OtherService",
      "devicemesh.v1.IngestServices",
    ]) {
      expect(await reported(transport, name)).toContain("not_found");
    }
  });

  it("is not routed elsewhere by a header of the caller", async () => {
    const headers = { "x-devicemesh-health-of": "Ingest" };
    expect(await reported(transports.gRPC, serviceOf.query, headers)).toBe("SERVING");
  });

  it("can be watched", async () => {
    const watching = new AbortController();
    const seen: (string | undefined)[] = [];
    const { gRPC: transport } = transports;
    const watch = (async () => {
      const answers = createClient(Health, transport).watch(
        { service: serviceOf.ingest },
        { signal: watching.signal },
      );
      for await (const { status } of answers) seen.push(nameOf(status));
    })().catch(() => {});
    await waitUntil(() => seen.length === 1);
    ingest.setServing(false);
    await waitUntil(() => seen.length === 2);
    ingest.setServing(true);
    await waitUntil(() => seen.length === 3);
    expect(seen).toEqual(["SERVING", "NOT_SERVING", "SERVING"]);
    watching.abort();
    await watch;
  });
});
