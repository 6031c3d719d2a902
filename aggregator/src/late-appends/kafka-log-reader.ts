import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ChainNames } from "@devicemesh/pipeline";
import type { Kafka } from "kafkajs";
import type { PartitionOffsets } from "../log/log-access.ts";
import type { LogReader } from "./late-appends-step.ts";

/** Makes the reader; it connects for each read, which is rare. */
export function createKafkaLogReader({
  kafka,
  names,
}: {
  readonly kafka: Kafka;
  readonly names: ChainNames;
}): LogReader {
  const topic = names.topics.messages;

  return {
    async read(ranges, each, signal) {
      const from = bounds(
        ranges.map((range) => range.from),
        Math.min,
      );
      const to = bounds(
        ranges.map((range) => range.to),
        Math.max,
      );
      const wanted = new Map([...from].filter(([partition, offset]) => offset < (to.get(partition) ?? 0)));
      for (const [partition] of to) if (!from.has(partition)) wanted.set(partition, 0);
      if (wanted.size === 0) return;
      // A group of its own: another aggregator that reads must not take its partitions.
      const groupId = `${names.deadLetterGroup}-late-appends-${randomBytes(4).toString("hex")}`;
      const admin = kafka.admin();
      const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200, allowAutoTopicCreation: false });
      await using opened = new AsyncDisposableStack();
      await admin.connect();
      opened.defer(() => admin.disconnect());
      await mustReachBack(wanted, await admin.fetchTopicOffsets(topic));
      await consumer.connect();
      opened.defer(async () => {
        await consumer.disconnect();
        await admin.deleteGroups([groupId]).catch(() => {});
      });
      await consume(consumer, { wanted, to }, each, signal);
    },
  };

  async function consume(
    consumer: ReturnType<Kafka["consumer"]>,
    { wanted, to }: { readonly wanted: PartitionOffsets; readonly to: PartitionOffsets },
    each: Parameters<LogReader["read"]>[1],
    signal: AbortSignal,
  ): Promise<void> {
    const left = new Set(wanted.keys());
    const done = Promise.withResolvers<void>();
    consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: true,
      async eachBatch({ batch, pause }) {
        const { partition } = batch;
        const end = to.get(partition) ?? 0;
        if (!left.has(partition)) return void pause();
        const records = batch.messages
          .map(({ offset, timestamp, key }) => ({
            partition,
            offset: Number(offset),
            arrivedMs: Number(timestamp),
            key: key?.toString() ?? null,
          }))
          .filter(({ offset }) => offset >= (wanted.get(partition) ?? 0) && offset < end);
        await each(records);
        if (Number(batch.lastOffset()) + 1 < end) return;
        left.delete(partition);
        pause();
        if (left.size === 0) done.resolve();
      },
    });
    for (const [partition, offset] of wanted) consumer.seek({ topic, partition, offset: String(offset) });
    const stopped = signal.aborted ? Promise.resolve() : once(signal, "abort");
    await Promise.race([done.promise, stopped]);
    await consumer.stop();
  }

  function mustReachBack(
    wanted: PartitionOffsets,
    found: readonly { readonly partition: number; readonly low: string }[],
  ): void {
    for (const { partition, low } of found) {
      if (Number(low) <= (wanted.get(partition) ?? Number.POSITIVE_INFINITY)) continue;
      throw new Error(
        `the log has dropped messages of partition ${partition} from offset ${wanted.get(partition)} to ${low} before it was checked whether windows lack them: answers from before stay exact, but the frontier cannot move; set --retain-log of the operator to more than the longest outage of the aggregator`,
      );
    }
  }
}

/** The least or the largest offset of each partition. */
function bounds(
  offsets: readonly PartitionOffsets[],
  choose: (a: number, b: number) => number,
): Map<number, number> {
  const chosen = new Map<number, number>();
  for (const each of offsets) {
    for (const [partition, offset] of each) {
      chosen.set(partition, choose(chosen.get(partition) ?? offset, offset));
    }
  }
  return chosen;
}
