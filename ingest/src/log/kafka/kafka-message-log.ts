import type { KafkaSecurity } from "@devicemesh/pipeline/kafka-client";
import { createKafkaTopic } from "./kafka-topic.ts";
import { defaultPartitionedLogLimits, type PartitionedLogLimits } from "./partitioned-log-limits.ts";
import { createPartitionedMessageLog, type PartitionedMessageLog } from "./partitioned-message-log.ts";

export type { PartitionedLogLimits } from "./partitioned-log-limits.ts";
export type { PartitionedLogStats, PartitionedMessageLog } from "./partitioned-message-log.ts";

/**
 * The message log on a topic of Kafka: acknowledged when every in-sync replica has it. The topic need not be there
 * yet, nor the brokers; appends wait for them up to `appendTimeoutMs`. `onReachable` is called when the log can be
 * reached for the first time, and each change after.
 */
export function createKafkaMessageLog(options: {
  /** host:port of each broker that is asked first. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly security?: KafkaSecurity | undefined;
  readonly limits?: Partial<PartitionedLogLimits>;
  readonly onReachable?: (reachable: boolean, fault: unknown) => void;
}): PartitionedMessageLog {
  const { brokers, topic, security, onReachable = () => {} } = options;
  const limits = { ...defaultPartitionedLogLimits, ...options.limits };
  return createPartitionedMessageLog({
    topic: createKafkaTopic({
      brokers,
      topic,
      clientId: "devicemesh-ingest",
      security,
      // A replica that died holds an append up until the brokers notice; what is sent again then would wait as long.
      requestTimeoutMs: Math.max(limits.appendTimeoutMs, 1000),
    }),
    limits,
    onReachable,
  });
}
