import { reasonOf } from "@devicemesh/kit/observability/failure-reason";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Admin, Consumer, EachBatchPayload, Kafka, KafkaMessage } from "kafkajs";
import type { WithAdmin } from "../kafka-admin.ts";
import { deadLettersReadMax, readerSessionTimeoutMs } from "../limits.ts";
import { createCommittedOffsets } from "./committed-offsets.ts";
import { type DeadLetter, parseDeadLetter } from "./dead-letter.ts";

/** Reads the dead-letter topics and commits the offsets of stored letters. */
export type DeadLetterReader = AsyncDisposable & {
  /**
   * Commits the beginning of each partition in which no later offset is committed, so that a topic that is empty, or
   * whose records have expired unread, does not count as unread. Call it periodically; the signal cancels its requests.
   */
  commitIdle(signal?: AbortSignal): Promise<void>;
  /** Resolves with the cause when the reader has given up; then dispose of it and start another. */
  readonly gaveUp: Promise<unknown>;
};

/**
 * Starts to read the topics from the group's committed offsets, or from their beginning. `take` receives the rejected
 * records of one topic's sink. Offsets are committed after it has resolved; while it rejects, the records are delivered
 * again. The topics must exist. The reader recovers by itself from an outage of the brokers.
 * @throws Error if no broker can be reached, or the group cannot be joined; then nothing keeps running.
 */
export async function startKafkaDeadLetterReader(options: {
  readonly kafka: Kafka;
  readonly withAdmin: WithAdmin;
  readonly groupId: string;
  readonly topics: readonly string[];
  take(topic: string, letters: readonly DeadLetter[]): Promise<void>;
  readonly logger: Logger;
}): Promise<DeadLetterReader> {
  const { kafka, withAdmin, groupId, topics, take, logger } = options;
  const consumer: Consumer = kafka.consumer({
    groupId,
    sessionTimeout: readerSessionTimeoutMs,
    maxWaitTimeInMs: 500,
    allowAutoTopicCreation: false,
    retry: { initialRetryTime: 300, maxRetryTime: 5000, retries: 5, restartOnFailure: async () => true },
  });
  const committed = createCommittedOffsets((topic, partition, offset) =>
    consumer.commitOffsets([{ topic, partition, offset: `${offset}` }]),
  );
  const { promise: gaveUp, resolve: giveUp } = Promise.withResolvers<unknown>();
  let assigned: Readonly<Record<string, readonly number[]>> = {};
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    assigned = payload.memberAssignment;
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    logger.warn({ reason: reasonOf(payload.error) }, "reading dead letters failed; retrying");
    if (!payload.restart) giveUp(payload.error);
  });
  async function takeBatch(payload: EachBatchPayload): Promise<void> {
    const { batch, heartbeat, resolveOffset, isRunning, isStale } = payload;
    const { topic, partition, messages } = batch;
    for (let start = 0; start < messages.length; start += deadLettersReadMax) {
      if (!isRunning() || isStale()) return;
      const slice = messages.slice(start, start + deadLettersReadMax);
      await take(
        topic,
        slice.map((message) => deadLetterOf(topic, partition, message)),
      );
      const last = slice.at(-1)!.offset;
      resolveOffset(last);
      await committed.advance(topic, partition, Number(last) + 1);
      await heartbeat();
    }
  }
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: takeBatch });
  } catch (error) {
    // Its connections would stay open, and another reader is started next.
    await consumer.disconnect().catch(() => {});
    throw error;
  }
  return {
    gaveUp,
    async commitIdle(signal) {
      const mine = topics.filter((topic) => (assigned[topic] ?? []).length > 0);
      if (mine.length === 0) return;
      const starts = await withAdmin((admin) => unreadStarts(admin, groupId, mine), signal);
      for (const { topic, partition, low } of starts) {
        if (assigned[topic]?.includes(partition)) await committed.advance(topic, partition, low);
      }
    },
    async [Symbol.asyncDispose]() {
      await consumer.disconnect();
    },
  };
}

/** Returns the beginnings of the partitions in which no offset at or after the beginning is committed. */
async function unreadStarts(admin: Admin, groupId: string, topics: readonly string[]) {
  const groups = await admin.fetchOffsets({ groupId, topics: [...topics] });
  const starts: { readonly topic: string; readonly partition: number; readonly low: number }[] = [];
  for (const { topic, partitions } of groups) {
    const ends = await admin.fetchTopicOffsets(topic);
    for (const { partition, offset } of partitions) {
      const low = Number(ends.find((end) => end.partition === partition)?.low ?? 0);
      // -1 means that nothing is committed.
      if (Number(offset) < low) starts.push({ topic, partition, low });
    }
  }
  return starts;
}

function deadLetterOf(topic: string, partition: number, message: KafkaMessage): DeadLetter {
  return parseDeadLetter({
    topic,
    partition,
    offset: Number(message.offset),
    key: message.key,
    value: message.value,
    headers: message.headers ?? {},
    timestampMs: Number(message.timestamp),
  });
}
