import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { openWindowSession } from "@devicemesh/aggregator";
import { installEnvoy } from "@devicemesh/engines";
import { freePorts } from "@devicemesh/engines/plans/free-ports";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { startEnvoy } from "@devicemesh/envoy";
import { probe } from "@devicemesh/kit/health/probe";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { removeMesh } from "@devicemesh/operator/testing/prepare-mesh";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { afterAll, describe, expect, it } from "vitest";
import { lateAddress } from "../../testing/mesh/late-address.ts";
import { everyMs } from "../../testing/mesh/waits.ts";

const engines = await testEngines();
const unique = `order-${Date.now().toString(36)}`;
const names = { topicPrefix: `${unique}-`, database: `test_${unique.replaceAll("-", "_")}` };

type Engine = "kafka" | "kafka-connect" | "mongodb" | "spark";
type Line = Readonly<Record<string, unknown>>;

/** A service as a process, and its log. */
function startProcess(service: string, args: readonly string[]) {
  const main = fileURLToPath(new URL(`../../../${service}/src/main.ts`, import.meta.url));
  const child = spawn(process.execPath, [main, ...args, "--host", "127.0.0.1"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const lines: Line[] = [];
  let rest = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    const [last = "", ...whole] = (rest + chunk).split("\n").reverse();
    rest = last;
    for (const line of whole.reverse()) if (line.startsWith("{")) lines.push(JSON.parse(line) as Line);
  });
  const exited = once(child, "exit");
  return {
    service,
    lines,
    reported: (engine: string) =>
      lines.filter(({ dependency }) => dependency === engine).map(({ msg }) => msg as string),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** Starts every service before its dependencies; then the engines appear, one after the other. */
async function startInOrder(order: readonly Engine[]) {
  if (!engines) throw new Error("there are no engines");
  await using started = new AsyncDisposableStack();
  const late = {
    kafka: started.use(await lateAddress(engines.kafkaBrokers[0] ?? "")),
    "kafka-connect": started.use(await lateAddress(new URL(engines.connectUrl).host)),
    mongodb: started.use(await lateAddress(new URL(engines.mongodbUrl).host)),
    spark: started.use(await lateAddress(engines.sparkUrl)),
  } satisfies Record<Engine, unknown>;
  const [operatorPort, aggregatorPort, ingestPort, queryPort, generatorPort, envoyPort] = (
    await freePorts(6)
  ).map(Number) as [number, number, number, number, number, number];
  const kafka = ["--kafka-brokers", late.kafka.address, "--topic-prefix", names.topicPrefix];
  const mongodbUrl = `mongodb://${late.mongodb.address}/?directConnection=true`;
  const mongodb = ["--mongodb-url", mongodbUrl, "--mongodb-database", names.database];
  const sinks = ["--sink-mongodb-url", engines.mongodbUrl];
  const connect = ["--connect-url", `http://${late["kafka-connect"].address}`];
  const checkpoints = join(engines.folder, "checkpoints", unique);
  const spark = ["--spark-url", late.spark.address, "--checkpoints", checkpoints];
  const here = (port: number) => ({ host: "127.0.0.1", port });
  const port = (number: number) => ["--port", `${number}`];
  // The generator's target is Envoy, which does not exist yet either.
  const target = ["--target", `127.0.0.1:${envoyPort}`, "--devices", "3"];
  started.use(startProcess("generator", ["serve", ...target, ...port(generatorPort)]));
  const operator = started.use(
    startProcess("operator", [
      ...[...kafka, ...mongodb, ...sinks, ...connect, ...port(operatorPort)],
      ...["--partitions", "2", "--replication", `${Math.min(engines.brokers, 3)}`],
    ]),
  );
  const aggregator = started.use(
    startProcess("aggregator", [...kafka, ...mongodb, ...spark, ...port(aggregatorPort)]),
  );
  const ingest = started.use(startProcess("ingest", [...kafka, ...port(ingestPort)]));
  const query = started.use(startProcess("query", [...mongodb, ...port(queryPort)]));
  const envoy = started.use(
    await startEnvoy({
      binary: await installEnvoy(),
      plain: here(envoyPort),
      metrics: here(0),
      ingest: [here(ingestPort)],
      query: [here(queryPort)],
      aggregator: [here(aggregatorPort)],
      generator: [here(generatorPort)],
      drainMs: 0,
      openCallsMs: 0,
    }),
  );
  const services = { operator, aggregator, ingest, query };
  const needs: readonly (readonly [keyof typeof services, Engine])[] = [
    ...(["kafka", "kafka-connect", "mongodb"] as const).map((engine) => ["operator", engine] as const),
    ["aggregator", "mongodb"],
    ["ingest", "kafka"],
    ["query", "mongodb"],
  ];
  const until = (what: string, condition: () => boolean | Promise<boolean>) =>
    waitUntil(condition, { timeoutMs: 120_000, everyMs, what }).catch((error: Error) => {
      const tails = Object.values(services).map(({ service, lines }) => [service, lines.slice(-3)]);
      throw new Error(`${error.message}: ${JSON.stringify(tails)}`);
    });
  for (const [service, engine] of needs) {
    await until(`${service} waits for ${engine}`, () => services[service].reported(engine).length > 0);
  }
  const addresses = [operatorPort, aggregatorPort, ingestPort, queryPort].map((one) => `127.0.0.1:${one}`);
  const serving = (address: string) =>
    probe({ address, service: "", timeoutMs: 3000 }).then(({ kind }) => kind === "serving");
  for (const address of addresses) expect(await serving(address)).toBe(false);
  // Ingest and query need more than an engine: the topic and the settings, which the operator creates when all engines
  // are available.
  const findsAlone = (service: string) => service === "operator" || service === "aggregator";
  const finds = (service: keyof typeof services, engine: Engine) =>
    until(
      `${service} finds ${engine}`,
      () => services[service].reported(engine).at(-1) === "dependency available",
    );
  for (const engine of order) {
    await late[engine].appear();
    for (const [service] of needs.filter((pair) => pair[1] === engine && findsAlone(pair[0]))) {
      await finds(service, engine);
    }
  }
  for (const [service, engine] of needs) await finds(service, engine);
  for (const address of addresses) await until(`${address} serves`, () => serving(address));
  await until("the aggregator finds Spark", () =>
    aggregator.reported("spark").includes("dependency available"),
  );
  const answers = createClient(
    QueryService,
    createGrpcTransport({ baseUrl: `http://127.0.0.1:${envoy.plain.port}` }),
  );
  const count = async () => {
    const { rows } = await answers.getAggregates({ sensors: ["temperature"] }, { timeoutMs: 10_000 });
    return Number(rows[0]?.count ?? 0n);
  };
  await until("readings of the generator are in answers", () =>
    count().then(
      (found) => found > 0,
      () => false,
    ),
  );
  return { needs, services };
}

describe.skipIf(!engines)("services that start before everything they need", () => {
  afterAll(async () => {
    if (!engines) return;
    await using spark = openWindowSession({ address: engines.sparkUrl, ...names });
    for (const { run } of await spark.activeQueries().catch(() => [])) await spark.stopQuery(run);
    await removeMesh({ ...engines, prefix: names.topicPrefix, database: names.database });
  });

  it.each([
    ["a new mesh", ["mongodb", "kafka", "kafka-connect", "spark"]],
    ["a mesh that was made before", ["spark", "kafka-connect", "mongodb", "kafka"]],
  ] as const)(
    "become ready by themselves, and report in one line which dependency they wait for: %s",
    async (_, order) => {
      const { needs, services } = await startInOrder(order);
      for (const [service, engine] of needs) {
        const { lines } = services[service];
        const reported = lines.filter(({ dependency }) => dependency === engine);
        // Once for each reason: a refused connection, and perhaps an attempt that timed out.
        expect(reported.length, `${service}, ${engine}`).toBeLessThanOrEqual(4);
        expect(JSON.stringify(reported)).not.toMatch(/\\n +at /);
      }
    },
  );
});
