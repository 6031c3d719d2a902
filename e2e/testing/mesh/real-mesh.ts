import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { openWindowSession } from "@devicemesh/aggregator";
import { installEnvoy } from "@devicemesh/engines";
import type { TestEngines } from "@devicemesh/engines/testing/test-engines";
import { createClientSessions } from "@devicemesh/kit/rpc/client-sessions";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { createServices, runSteps, type Services, type ServicesConfig } from "@devicemesh/mesh";
import { type ChainNames, chainNames, collections, type MessageDocument } from "@devicemesh/pipeline";
import { createKafka } from "@devicemesh/pipeline/kafka-client";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import { identityOf, millisecondsFloor, type ProtoTimestamp } from "@devicemesh/proto";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import type { Kafka } from "kafkajs";
import type { Db } from "mongodb";
import { everyMs } from "./waits.ts";

/** A separate mesh over the engines of the test run: our services and Envoy as processes, with unique names. */
export type RealMesh = AsyncDisposable & {
  readonly engines: TestEngines;
  readonly names: ChainNames;
  readonly services: Services;
  readonly query: Client<typeof QueryService>;
  readonly kafka: Kafka;
  readonly db: Db;
  /** host:port of Envoy, which accepts readings and queries. */
  readonly address: string;
  /** Resolves when everything that arrived until now is in the store. */
  untilComplete(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** Resolves when everything that arrived until now is in the finest windows permanently. */
  untilSealed(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** Returns the identities of all stored readings. */
  storedIdentities(): Promise<Set<string>>;
};

/** Time limit for the pipeline to catch up after an outage of an engine, on a slow machine. */
const catchUpLimitMs = 240_000;

/** Starts the services of a mesh and resolves after the first answer. Disposing ends them and deletes their data. */
export async function startRealMesh(
  engines: TestEngines,
  label: string,
  settings: Partial<ServicesConfig> = {},
): Promise<RealMesh> {
  await using starting = new AsyncDisposableStack();
  const unique = `${label}-${Date.now().toString(36)}`;
  const config: ServicesConfig = {
    engines,
    host: "127.0.0.1",
    ports: { envoy: 0, ingest: 0, query: 0, generator: 0 },
    topicPrefix: `${unique}-`,
    database: `test_${unique.replaceAll("-", "_")}`,
    partitions: 3,
    replication: Math.min(engines.brokers, 3),
    windowMs: 10_000,
    segmentMs: 10_000,
    retainRawMs: undefined,
    checkpoints: join(engines.folder, "checkpoints", unique),
    corsOrigin: undefined,
    devices: undefined,
    spill: undefined,
    logLevel: "info",
    ...settings,
  };
  const names = chainNames({ prefix: config.topicPrefix, database: config.database });
  const logs = join(engines.folder, "logs", unique);
  mkdirSync(logs, { recursive: true });
  const kafka = createKafka({ brokers: engines.kafkaBrokers, clientId: `${unique}-test` });
  const mongo = starting.use(
    openMongo({ url: engines.mongodbUrl, database: config.database, appName: `${unique}-test` }),
  );
  starting.defer(() => removeStored(names, engines, mongo.db));
  starting.defer(() => stopWindowJob(config));
  const services = starting.use(
    createServices(config, { logs, env: process.env, envoyBinary: await installEnvoy() }),
  );
  const lines: string[] = [];
  await runSteps(services.steps([]), {
    show(name, work) {
      work({ report() {} }).then(
        (where) => lines.push(`${name} ${where}`),
        (error: unknown) => lines.push(`${name}: ${String(error)}`),
      );
    },
    end: async () => {},
  });
  const { address } = services.get("envoy");
  const query = createClient(QueryService, transportOf(services, config));
  // The coverage of an answer that counts nothing is the cheapest way to read the progress of the mesh.
  const horizon = async () => {
    const { coverage } = await query.getAggregates({ deviceIds: ["unknown"] }, { timeoutMs: 5000 });
    return { completeThroughMs: msOf(coverage?.completeThrough), frontierMs: msOf(coverage?.frontier) };
  };
  const until = async (what: "completeThroughMs" | "frontierMs", timeoutMs: number) => {
    // Engines and test share one clock here, so the log's clock is past this too.
    const nowMs = Date.now();
    let last: unknown;
    await waitUntil(
      async () => {
        const seen = await horizon().catch((error: unknown) => ({ error: String(error) }));
        last = seen;
        return what in seen && (seen as Record<typeof what, number>)[what] > nowMs;
      },
      { timeoutMs, everyMs, what: `${what} past ${new Date(nowMs).toISOString()}` },
    ).catch((error: Error) => {
      throw new Error(`${error.message}; last seen: ${JSON.stringify(last)}; logs in ${logs}`);
    });
  };
  await waitUntil(
    () =>
      horizon().then(
        () => true,
        () => false,
      ),
    { timeoutMs: 60_000, everyMs, what: "query answers" },
  );

  const running = starting.move();
  return {
    engines,
    names,
    services,
    query,
    kafka,
    db: mongo.db,
    address,
    untilComplete: ({ timeoutMs = catchUpLimitMs } = {}) => until("completeThroughMs", timeoutMs),
    untilSealed: ({ timeoutMs = catchUpLimitMs } = {}) => until("frontierMs", timeoutMs),
    async storedIdentities() {
      const found = mongo.db
        .collection<MessageDocument>(collections.messages)
        .find({}, { projection: { device_id: 1, sensor: 1, timestamp: 1 } });
      const identities = new Set<string>();
      for await (const { device_id: deviceId, sensor, timestamp } of found) {
        identities.add(identityOf({ deviceId, sensor, timestampMs: timestamp.getTime() }));
      }
      return identities;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Through Envoy; with authentication, as the read-only user. */
function transportOf({ frontDoor }: Services, { identity }: ServicesConfig): Transport {
  if (!identity) {
    const baseUrl = `http://${frontDoor?.address}`;
    return createGrpcTransport({ baseUrl, sessionManager: createClientSessions(baseUrl) });
  }
  const { folder, authority } = identity.credentials;
  const token = readFileSync(join(folder, "user-reader.jwt"), "utf8").trim();
  const baseUrl = `https://${frontDoor?.publicAddress}`;
  return createGrpcTransport({
    baseUrl,
    // Tests kill Envoy, which ends connections between two calls.
    sessionManager: createClientSessions(baseUrl, {}, { ca: readFileSync(authority) }),
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${token}`);
        return next(request);
      },
    ],
  });
}

function msOf(timestamp: ProtoTimestamp | undefined): number {
  return timestamp ? millisecondsFloor(timestamp) : 0;
}

/**
 * Stops the query that an aggregator leaves running for the next one: no aggregator will adopt it.
 */
async function stopWindowJob({ engines, topicPrefix, database }: ServicesConfig): Promise<void> {
  await using spark = openWindowSession({ address: engines.sparkUrl, topicPrefix, database });
  // An unavailable Spark runs nothing, and a query that cannot be stopped fails by itself.
  const queries = await spark.activeQueries().catch(() => []);
  for (const { run } of queries) await spark.stopQuery(run).catch(() => {});
}

/**
 * Removes connectors and database, to reduce the load of the engines. Topics stay: a Spark task that is reading a
 * deleted topic would keep a core busy for minutes, until its consumer gives up.
 */
async function removeStored(names: ChainNames, { connectUrl }: TestEngines, db: Db): Promise<void> {
  for (const connector of Object.values(names.connectors)) {
    await fetch(`${connectUrl}/connectors/${connector}`, { method: "DELETE" });
  }
  await db.dropDatabase();
}
