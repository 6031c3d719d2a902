import { reasonOf } from "@devicemesh/kit/observability/failure-reason";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { Admin, Consumer, EachBatchPayload, Kafka, KafkaMessage } from "kafkajs";
import type { WithAdmin } from "../kafka-admin.ts";
import { deadLettersReadMax, readerSessionTimeoutMs } from "../limits.ts";
import { createCommittedOffsets } from "./committed-offsets.ts";
import { type DeadLetter, parseDeadLetter } from "./dead-letter.ts";

/** Reads the dead-letter topics and commits what was taken. */
export type DeadLetterReader = AsyncDisposable & {
  /**
   * Commits where a partition begins if nothing at or after that was committed: a topic that is empty, or whose
   * records have expired unread, must not look as if something in it were to be read yet. Call it now and then; the
   * signal ends its questions.
   */
  commitIdle(signal?: AbortSignal): Promise<void>;
  /** Resolves with the cause when it has given up; then dispose of it and start another. */
  readonly gaveUp: Promise<unknown>;
};

/**
 * Starts to read the topics from where the group has committed, or from their beginning. `take` gets what one topic's
 * sink refused; offsets are committed after it has resolved, and the records come again if it rejects, for as long
 * as it does. Topics must be there. It goes on by itself when brokers were away.
 * @throws Error if no broker can be reached, or the group cannot be joined; then nothing of it goes on.
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

/** Where the partitions begin of which nothing at or after their beginning was committed. */
async function unreadStarts(admin: Admin, groupId: string, topics: readonly string[]) {
  const groups = await admin.fetchOffsets({ groupId, topics: [...topics] });
  const starts: { readonly topic: string; readonly partition: number; readonly low: number }[] = [];
  for (const { topic, partitions } of groups) {
    const ends = await admin.fetchTopicOffsets(topic);
    for (const { partition, offset } of partitions) {
      const low = Number(ends.find((end) => end.partition === partition)?.low ?? 0);
      // -1 stands for "nothing was committed".
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
