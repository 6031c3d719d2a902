import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { freePorts } from "@devicemesh/engines/plans/free-ports";
import type { TestEngines } from "@devicemesh/engines/testing/test-engines";
import { startEnvoy } from "@devicemesh/envoy";
import type { DeviceMessage } from "@devicemesh/proto";
import { protoTimestamp } from "@devicemesh/proto";
import { AggregatorService } from "@devicemesh/proto/es/devicemesh/v1/aggregator_service_pb.ts";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { withStaticTargets } from "@devicemesh/stack/monitoring/monitoring";
import { type Prometheus, startPrometheus } from "@devicemesh/stack/testing/monitoring/prometheus-fixture";
import { type RealMesh, startRealMesh } from "../mesh/real-mesh.ts";
import { createPublisher, readingOf } from "../publisher.ts";

const prometheusFolder = fileURLToPath(new URL("../../../stack/prometheus/", import.meta.url));
const serviceJobs = ["ingest", "query", "gateway", "generator", "operator", "aggregator"] as const;

const firstWindowsLimitMs = 360_000;

/** For tests: the real mesh behind Envoy, and a Prometheus that scrapes all of it like in the stack. */
export type MonitoredMesh = AsyncDisposable & {
  readonly mesh: RealMesh;
  readonly prometheus: Prometheus;
  /**
   * Sends some of everything through Envoy: readings, one of them rejected and one duplicate, queries to every service,
   * one of them invalid.
   */
  traffic(): Promise<void>;
};

/** Starts it, over the engines of the test run. Some devices are simulated, and one watch is open. */
export async function startMonitoredMesh(options: {
  readonly engines: TestEngines;
  readonly envoyBinary: string;
  readonly prometheusServer: string;
}): Promise<MonitoredMesh> {
  await using starting = new AsyncDisposableStack();
  const [mqttPort] = await freePorts(1);
  const mesh = starting.use(await startRealMesh(options.engines, "monitored", { devices: 20, mqttPort }));
  // Scraped once the mesh is healthy: on a busy machine Spark's first batch takes minutes, and raises alerts.
  await mesh.untilSealed({ timeoutMs: firstWindowsLimitMs });
  const hostPort = (address: string) => {
    const [host = "", port] = address.split(":");
    return { host, port: Number(port) };
  };
  const serviceAt = (name: (typeof serviceJobs)[number]) => [hostPort(mesh.services.get(name).address)];
  const envoy = starting.use(
    await startEnvoy({
      binary: options.envoyBinary,
      plain: { host: "127.0.0.1", port: 0 },
      metrics: { host: "127.0.0.1", port: 0 },
      ingest: serviceAt("ingest"),
      query: serviceAt("query"),
      generator: serviceAt("generator"),
      aggregator: serviceAt("aggregator"),
      gateway: serviceAt("gateway"),
      drainMs: 0,
      openCallsMs: 0,
    }),
  );
  const metricsOf = (name: (typeof serviceJobs)[number]) => {
    const address = mesh.services.get(name).metricsAddress;
    if (address === undefined) throw new Error(`${name} serves no metrics`);
    return address;
  };
  const prometheus = starting.use(
    await startPrometheus({
      server: options.prometheusServer,
      rulesFile: `${prometheusFolder}rules.yml`,
      configOf: (ownAddress) =>
        withStaticTargets(readFileSync(`${prometheusFolder}prometheus.yml`, "utf8"), {
          ...Object.fromEntries(serviceJobs.map((name) => [name, [metricsOf(name)]])),
          envoy: [`${envoy.metrics.host}:${envoy.metrics.port}`],
          prometheus: [ownAddress],
        }),
    }),
  );

  const front = `${envoy.plain.host}:${envoy.plain.port}`;
  const publisher = starting.use(createPublisher(front));
  const transport = createGrpcTransport({ baseUrl: `http://${front}` });
  const query = createClient(QueryService, transport);
  const generator = createClient(GeneratorService, transport);
  const aggregator = createClient(AggregatorService, transport);
  const watching = new AbortController();
  starting.defer(() => watching.abort());
  void watch(query.watchAggregates({}, { signal: watching.signal }));

  const repeated = readingOf(reading(0, 20));
  let number = 0;
  const running = starting.move();
  return {
    mesh,
    prometheus,
    async traffic() {
      const good = Array.from({ length: 20 }, () => readingOf(reading(++number, 20)));
      await publisher.publish([...good, repeated, readingOf(reading(++number, 1e6))]);
      const one = { deviceIds: ["monitored.1"] };
      await Promise.all([
        query.getAggregates(one),
        query.listReadings(one),
        generator.getGeneratorStatus({}),
        aggregator.getWindowJobStatus({}),
        refused(query.getAggregates({ since: protoTimestamp(2), to: protoTimestamp(1) })),
      ]);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const beginMs = Date.now();

/** Returns a reading with a unique identity; a million degrees is invalid for a thermostat. */
function reading(number: number, value: number): DeviceMessage {
  return {
    deviceId: `monitored.${number % 5}`,
    sensor: "temperature",
    timestampMs: beginMs + number,
    value,
  };
}

/** Reads messages until the stream is cut. */
async function watch(changes: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const _ of changes);
  } catch {
    // It was open as long as needed.
  }
}

async function refused(call: Promise<unknown>): Promise<void> {
  const answered = await call.then(
    () => true,
    () => false,
  );
  if (answered) throw new Error("a question that begins after it ends was answered");
}
