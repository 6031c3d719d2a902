import type { Logger } from "@devicemesh/kit/observability/logger";
import { listOf } from "@devicemesh/kit/settings/list-of";
import { jvmKafkaOptions, kafkaSecurityOf, textOfFile } from "@devicemesh/pipeline/kafka-security";
import type { Level } from "@devicemesh/proto";
import type { StartWindowJob } from "../active-aggregator.ts";
import type { AggregatorConfig } from "../settings.ts";
import { startWindowJob } from "./window-job.ts";
import { openWindowSession } from "./window-job-session.ts";

/**
 * Opens the window job of a mesh in Spark, with its session, from the settings.
 * @throws SettingsError if the file of --spark-ca cannot be read.
 */
export function sparkWindowJob(config: AggregatorConfig, logger: Logger): StartWindowJob {
  const { sparkTls, sparkCa } = config;
  const ca = sparkCa === undefined ? {} : { ca: textOfFile("--spark-ca", sparkCa) };
  const tls = sparkTls || sparkCa !== undefined ? ca : undefined;
  return ({ names, settings, sinceOf, isLogAhead, isSegmentDue, onBatch }) => {
    const { windowMs, segmentMs } = settings.levels[0] as Level;
    const spark = openWindowSession({
      address: config.sparkUrl,
      tls,
      token: config.sparkToken,
      topicPrefix: config.topicPrefix,
      database: names.database,
    });
    const job = startWindowJob({
      spark,
      meaning: {
        topic: names.topics.messages,
        outputTopic: names.topics.windows,
        partitions: settings.partitions,
        windowMs,
        segmentMs,
      },
      brokers: listOf(config.kafkaBrokers),
      kafkaOptions: jvmKafkaOptions(kafkaSecurityOf(config)),
      checkpoints: config.checkpoints,
      watermarkDelayMs: config.clockSkew,
      sinceOf,
      isLogAhead,
      isSegmentDue,
      onBatch,
      logger,
    });
    return {
      ...job,
      async [Symbol.asyncDispose]() {
        await job.close();
        await spark[Symbol.asyncDispose]();
      },
    };
  };
}
