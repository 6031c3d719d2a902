import type { KafkaSecurity } from "@devicemesh/pipeline/kafka-client";
import { createKafkaTopic } from "./kafka-topic.ts";
import { defaultPartitionedLogLimits, type PartitionedLogLimits } from "./partitioned-log-limits.ts";
import { createPartitionedMessageLog, type PartitionedMessageLog } from "./partitioned-message-log.ts";

export type { PartitionedLogLimits } from "./partitioned-log-limits.ts";
export type { PartitionedLogStats, PartitionedMessageLog } from "./partitioned-message-log.ts";

/**
 * The message log on a topic of Kafka: it acknowledges when every in-sync replica has the messages. The topic and the
 * brokers may be unavailable at first; appends wait for them up to `appendTimeoutMs`. `onReachable` is called when the
 * log is first reached, and at each change afterwards.
 */
export function createKafkaMessageLog(options: {
  /** host:port of each bootstrap broker. */
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
      // A dead replica delays an append until the brokers notice; a retry in the meantime would wait as long.
      requestTimeoutMs: Math.max(limits.appendTimeoutMs, 1000),
    }),
    limits,
    onReachable,
  });
}
