import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { Health } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { readContractImage } from "@devicemesh/proto/image";
import type { MeshEngines } from "../src/mesh-engines.ts";
import type { OperatorConfig } from "../src/settings.ts";
import { type Operator, type OperatorIntervals, startOperator } from "../src/start.ts";
import type { FixtureRecord } from "./mesh-fixture.ts";
import type { MeshOptions } from "./prepare-mesh.ts";

/** The settings of an operator for such a mesh. */
export function configOf(options: MeshOptions): OperatorConfig {
  return {
    kafkaBrokers: options.kafkaBrokers.join(","),
    kafkaTls: false,
    kafkaCa: undefined,
    kafkaCert: undefined,
    kafkaKey: undefined,
    kafkaSasl: undefined,
    kafkaUsername: undefined,
    kafkaPassword: undefined,
    kafkaToken: undefined,
    connectUrl: options.connectUrl,
    sparkMaster: undefined,
    mongodbUrl: options.mongodbUrl,
    sinkMongodbUrl: options.sinkMongodbUrl,
    mongodbDatabase: options.database,
    topicPrefix: options.prefix,
    partitions: options.partitions!,
    replication: options.replication!,
    window: 10_000,
    segment: 10_000,
    retainRaw: undefined,
    retain10s: undefined,
    retain10min: undefined,
    retain1day: undefined,
    retainLog: 7 * 86_400_000,
    sinkTasks: 2,
    sensors: undefined,
    host: "127.0.0.1",
    port: 0,
    metricsPort: undefined,
    plan: false,
    replay: undefined,
    logLevel: "silent",
  };
}

/** Starts an operator with short intervals. */
export const startQuickOperator = (
  config: OperatorConfig,
  intervals: Partial<OperatorIntervals> = {},
): Promise<Operator> =>
  startOperator(config, {
    logger: silentLogger(),
    clock: Date.now,
    image: readContractImage(),
    intervals: {
      pollEveryMs: 200,
      inspectEveryMs: 500,
      stuckAfterMs: 4000,
      retry: { firstMs: 200, longestMs: 2000 },
      firstMs: 30_000,
      restarts: { firstMs: 500, longestMs: 2000, calmMs: 5000 },
      ...intervals,
    },
  });

/** Calls grpc.health.v1. */
export function healthOf(operator: Operator): () => Promise<"SERVING" | "NOT_SERVING"> {
  const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${operator.port}` });
  const client = createClient(Health, transport);
  return async () => ((await client.check({ service: "" })).status === 1 ? "SERVING" : "NOT_SERVING");
}

/** Resolves when health has the expected value. */
export async function untilHealth(
  health: () => Promise<"SERVING" | "NOT_SERVING">,
  wanted: "SERVING" | "NOT_SERVING",
): Promise<void> {
  await waitUntil(async () => (await health()) === wanted, {
    timeoutMs: 90_000,
    what: `health is ${wanted}`,
  });
}

/** Appends records to the first partition of a topic. */
export async function append(
  engines: MeshEngines,
  topic: string,
  records: readonly FixtureRecord[],
): Promise<void> {
  const producer = engines.kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const messages = records.map(({ key, value }) => ({
    partition: 0,
    key,
    value: value === null ? null : Buffer.from(value),
  }));
  await producer.send({ topic, acks: -1, messages });
  await producer.disconnect();
}
