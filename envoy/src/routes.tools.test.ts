import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema, MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { readContractImage } from "@devicemesh/proto/image";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { startBackend } from "../testing/backend-fixture.ts";
import { envoyBinary, localhost, quietEnvoy } from "../testing/edge-fixture.ts";
import { createRawClient } from "../testing/raw-client-fixture.ts";
import { startEnvoy } from "./start-envoy.ts";

/** The backend of each service; a service that is not listed has no route. */
const backendOf: Readonly<Record<string, "ingest" | "query" | "generator" | "aggregator">> = {
  "devicemesh.v1.IngestService": "ingest",
  "devicemesh.v1.QueryService": "query",
  "devicemesh.v1.GeneratorService": "generator",
  "devicemesh.v1.AggregatorService": "aggregator",
};

type Method = {
  readonly service: string;
  readonly path: string;
  readonly reads: boolean;
  readonly clientStreams: boolean;
  readonly serverStreams: boolean;
};

/** Every RPC of the contract, from its descriptors. */
const served: readonly Method[] = fromBinary(FileDescriptorSetSchema, readContractImage())
  .file.filter((file) => file.package.startsWith("devicemesh."))
  .flatMap((file) =>
    file.service.flatMap((service) =>
      service.method.map((method) => ({
        service: `${file.package}.${service.name}`,
        path: `/${file.package}.${service.name}/${method.name}`,
        reads: method.options?.idempotencyLevel === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS,
        clientStreams: method.clientStreaming,
        serverStreams: method.serverStreaming,
      })),
    ),
  );

async function startBehindEnvoy(mood: Parameters<typeof startBackend>[0], edit = (text: string) => text) {
  const stack = new AsyncDisposableStack();
  const backends = {
    ingest: stack.use(await startBackend(mood)),
    query: stack.use(await startBackend(mood)),
    generator: stack.use(await startBackend(mood)),
    aggregator: stack.use(await startBackend(mood)),
  };
  const envoy = stack.use(
    await startEnvoy({
      ...quietEnvoy,
      ingest: [localhost(backends.ingest.port)],
      query: [localhost(backends.query.port)],
      generator: [localhost(backends.generator.port)],
      aggregator: [localhost(backends.aggregator.port)],
      openCallsMs: 0,
      edit,
    }),
  );
  const client = stack.use(createRawClient(`127.0.0.1:${envoy.plain.port}`));
  return { backends, client, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe.skipIf(envoyBinary === undefined)("the routes", () => {
  it("lead every RPC of the contract to its service only", async () => {
    await using edge = await startBehindEnvoy("answers");
    const reached: Record<string, string[]> = {};
    for (const { path } of served) {
      await edge.client.call(path);
      reached[path] = Object.entries(edge.backends)
        .filter(([, backend]) => backend.attempts(path) > 0)
        .map(([name]) => name);
    }
    const expected = served.map(({ service, path }) => [path, [backendOf[service]]]);
    expect(reached).toEqual(Object.fromEntries(expected));
    expect(served.length).toBeGreaterThan(10);
  });

  it("answer a call without a route with UNIMPLEMENTED", async () => {
    await using edge = await startBehindEnvoy("answers");
    for (const path of ["/devicemesh.v1.QueryServiceX/ListSeries", "/a.B/C", "/devicemesh.v1/x"]) {
      expect((await edge.client.call(path)).code).toBe(status.UNIMPLEMENTED);
    }
  });

  it("retry reads and commit units, and nothing else", async () => {
    await using edge = await startBehindEnvoy("unavailable");
    for (const { service, path, reads } of served) {
      expect((await edge.client.call(path)).code).toBe(status.UNAVAILABLE);
      const backend = edge.backends[backendOf[service]!];
      const expected = service.endsWith(".IngestService") ? 4 : service.endsWith(".QueryService") ? 3 : 1;
      expect([path, backend.attempts(path)]).toEqual([path, expected]);
      if (expected === 3) expect([path, reads]).toEqual([path, true]);
    }
  });

  it("forward the caller's deadline to the service, and none if there is none", async () => {
    await using edge = await startBehindEnvoy("answers");
    for (const { service, path } of served) {
      const { asked } = edge.backends[backendOf[service]!];
      await edge.client.call(path, {}, 20_000);
      const [, reported, unit] = /^(\d+)([mS])$/.exec(`${asked.at(-1)?.["grpc-timeout"]}`) ?? [];
      const reportedMs = Number(reported) * (unit === "S" ? 1000 : 1);
      expect([path, reportedMs > 15_000 && reportedMs <= 20_000]).toEqual([path, true]);
      await edge.client.call(path);
      // Units have a limit of ten minutes, which Envoy forwards.
      const bound = backendOf[service] === "ingest" ? "600000m" : undefined;
      expect([path, asked.at(-1)?.["grpc-timeout"]]).toEqual([path, bound]);
    }
  });

  it("limit the time of unary calls and units, and not that of a watch", async () => {
    // The limits of calls, two hundred times shorter; disabled limits stay disabled.
    const faster = (text: string) =>
      text
        .split("\n")
        .map((line) =>
          /health_check|keepalive|connect_timeout|request_headers|interval/.test(line)
            ? line
            : line.replaceAll(/: (\d+)s/g, (_, seconds: string) => `: ${Number(seconds) / 200}s`),
        )
        .join("\n");
    await using edge = await startBehindEnvoy("silent", faster);
    const streams = served
      .filter(({ clientStreams, serverStreams }) => clientStreams || serverStreams)
      .map(({ path }) => ({ path, ...edge.client.open(path), code: -1 }));
    for (const stream of streams) void stream.ended.then(({ code }) => Object.assign(stream, { code }));
    const unary = served.filter(({ clientStreams, serverStreams }) => !clientStreams && !serverStreams);
    const outcomes = await Promise.all(unary.map(({ path }) => edge.client.call(path)));
    expect(outcomes.map(({ code }) => code)).toEqual(unary.map(() => status.UNAVAILABLE));
    // A silent unit outlasts every other limit twice, until its ten minutes end.
    const unit = streams.find(({ path }) => path.endsWith("/PublishReadings"));
    await unit?.ended;
    const codes = streams.map(({ path, code }) => [path, code]);
    expect(codes).toEqual(
      streams.map((stream) => [stream.path, stream === unit ? status.DEADLINE_EXCEEDED : -1]),
    );
    for (const stream of streams) stream.cancel();
    await waitUntil(() => streams.every(({ code }) => code !== -1));
  });
});
