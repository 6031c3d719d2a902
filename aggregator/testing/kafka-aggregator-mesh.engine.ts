import { randomBytes } from "node:crypto";
import type { TestEngines } from "@devicemesh/engines/testing/test-engines";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { operatorSettings, startOperator } from "@devicemesh/operator";
import { meshDefinition, removeMesh } from "@devicemesh/operator/testing/prepare-mesh";
import { collections } from "@devicemesh/pipeline";
import { createKafka } from "@devicemesh/pipeline/kafka-client";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import { isoMilliseconds } from "@devicemesh/proto";
import { readContractImage } from "@devicemesh/proto/image";
import { ConfigResourceTypes } from "kafkajs";
import type { StartWindowJob } from "../src/active-aggregator.ts";
import { type AggregatorConfig, aggregatorSettings } from "../src/settings.ts";
import { startAggregator } from "../src/start.ts";
import { openWindowSession } from "../src/window-job/window-job-session.ts";

const logger = silentLogger();
const clock = Date.now;
const image = readContractImage();
const slowly = { timeoutMs: 120_000 };

/** A separate mesh with an operator that maintains it and reads its dead letters. */
export async function openAggregatorMesh(engines: TestEngines, sizeMs: number) {
  const name = `aggregator-test-${randomBytes(4).toString("hex")}`;
  const options = {
    kafkaBrokers: engines.kafkaBrokers,
    connectUrl: engines.connectUrl,
    mongodbUrl: engines.mongodbUrl,
    prefix: `${name}.`,
    database: name,
    partitions: 2,
    replication: engines.brokers,
    windowMs: sizeMs,
    segmentMs: sizeMs,
  };
  const shared = [
    ...["--kafka-brokers", engines.kafkaBrokers.join(","), "--mongodb-url", engines.mongodbUrl],
    ...["--topic-prefix", options.prefix, "--mongodb-database", name, "--port", "0"],
  ];
  await using opened = new AsyncDisposableStack();
  opened.defer(() => removeMesh(options));
  const operator = loadSettings(operatorSettings, {
    args: [
      ...shared,
      ...["--connect-url", engines.connectUrl, "--partitions", "2", "--replication", `${engines.brokers}`],
      ...["--window", `${sizeMs}ms`, "--segment", `${sizeMs}ms`],
    ],
    env: {},
  });
  if (operator.kind !== "settings") throw new Error(operator.text);
  opened.use(await startOperator(operator.values, { logger, clock, image }));
  const { db } = opened.use(openMongo({ url: engines.mongodbUrl, database: name, appName: "test" }));
  const kafka = createKafka({ brokers: engines.kafkaBrokers, clientId: "test" });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  opened.defer(() => producer.disconnect());
  const admin = kafka.admin();
  await admin.connect();
  opened.defer(() => admin.disconnect());
  const args = [...shared, "--spark-url", engines.sparkUrl, "--checkpoints", `${engines.folder}/${name}`];
  const loaded = loadSettings(aggregatorSettings, { args, env: {} });
  if (loaded.kind !== "settings") throw new Error(loaded.text);
  const config: AggregatorConfig = loaded.values;
  // Otherwise the query would outlive its mesh.
  opened.defer(() => stopQueries(config));
  const { names } = meshDefinition(options);
  const running = opened.move();

  return {
    args,
    config,
    db,
    names,
    startWithJob: (startWindowJob: StartWindowJob) =>
      startAggregator(config, { logger, clock, image, startWindowJob }),
    /** Appends a pressure; resolves with its append time. */
    async append(
      deviceId: string,
      timestampMs: number,
      value: number,
      partition = 0,
      /** Its append time while the topic keeps the producers' times, ms since 1970. */
      stampMs = Date.now(),
    ): Promise<number> {
      const timestamp = isoMilliseconds(timestampMs);
      const [result] = await producer.send({
        topic: names.topics.messages,
        acks: -1,
        messages: [
          {
            partition,
            timestamp: String(stampMs),
            key: `${deviceId}|pressure|${timestamp}`,
            value: JSON.stringify({ device_id: deviceId, timestamp, sensor: "pressure", value }),
          },
        ],
      });
      return Number(result?.logAppendTime);
    },
    /** From now on the messages have the times that their producers give, or those of the brokers again. */
    async keepTimesOf(which: "producers" | "brokers"): Promise<void> {
      const value = which === "producers" ? "CreateTime" : "LogAppendTime";
      await admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: ConfigResourceTypes.TOPIC,
            name: names.topics.messages,
            configEntries: [{ name: "message.timestamp.type", value }],
          },
        ],
      });
    },
    /** The ends of the messages topic by partition. */
    async messageEnds(): Promise<ReadonlyMap<number, number>> {
      const found = await admin.fetchTopicOffsets(names.topics.messages);
      return new Map(found.map(({ partition, high }) => [partition, Number(high)]));
    },
    async connector(action: "pause" | "resume"): Promise<void> {
      const url = `${engines.connectUrl}/connectors/${names.connectors.messages}`;
      await fetch(`${url}/${action}`, { method: "PUT" });
      const wanted = action === "pause" ? "PAUSED" : "RUNNING";
      await waitUntil(async () => {
        const status = (await (await fetch(`${url}/status`)).json()) as {
          tasks: { state: string }[];
        };
        return status.tasks.length > 0 && status.tasks.every(({ state }) => state === wanted);
      }, slowly);
    },
    async frontier() {
      const found = await db.collection(collections.frontier).findOne({});
      return {
        completeThroughMs: (found?.complete_through as Date | undefined)?.getTime() ?? 0,
        frontierMs: (found?.frontiers as Date[] | undefined)?.[0]?.getTime() ?? 0,
        logEndMs: (found?.log_end as Date | null | undefined)?.getTime(),
      };
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function stopQueries(config: AggregatorConfig): Promise<void> {
  await using spark = openWindowSession({
    address: config.sparkUrl,
    topicPrefix: config.topicPrefix,
    database: config.mongodbDatabase,
  });
  for (const { run } of await spark.activeQueries()) await spark.stopQuery(run);
}
