import type { MessageBatch, MessageLog } from "@devicemesh/ingest";
import { partitionOf } from "@devicemesh/ingest/log/kafka/murmur2";
import { createKafka } from "@devicemesh/pipeline/kafka-client";
import { isoMilliseconds } from "@devicemesh/proto";

/** Where more records in a send cost the producer of kafkajs more than the sends that they save. */
const sendRecordsMax = 500;

type Row = {
  readonly batch: MessageBatch;
  readonly row: number;
  acknowledge(): void;
  fail(error: unknown): void;
};

/**
 * The peer: a message log on the producer of kafkajs, as ingest had it: one send at a time to a partition, acks=all,
 * keys and values made when they are sent. It does not send again what failed.
 */
export async function openKafkaJsLog(options: {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
}): Promise<MessageLog & AsyncDisposable> {
  const { brokers, topic, partitions } = options;
  const producer = createKafka({ brokers, clientId: "devicemesh-bench-peer" }).producer({
    allowAutoTopicCreation: false,
    idempotent: false,
  });
  await producer.connect();
  const queues = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    rows: [] as Row[],
    running: false,
  }));

  async function run(queue: (typeof queues)[number]): Promise<void> {
    queue.running = true;
    while (queue.rows.length > 0) {
      const rows = queue.rows.splice(0, sendRecordsMax);
      const messages = rows.map(({ batch, row }) => ({
        ...recordOf(batch, row),
        partition: queue.partition,
      }));
      try {
        await producer.send({ topic, acks: -1, messages });
        for (const { acknowledge } of rows) acknowledge();
      } catch (error) {
        for (const { fail } of rows) fail(error);
      }
    }
    queue.running = false;
  }

  return {
    append(batch) {
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      let left = batch.length;
      const acknowledge = (): void => {
        if (--left === 0) resolve(undefined);
      };
      for (let row = 0; row < batch.length; row++) {
        const queue = queues[partitionOf(batch.deviceIds[row] ?? "", partitions)];
        queue?.rows.push({ batch, row, acknowledge, fail: reject });
      }
      for (const queue of queues) if (!queue.running && queue.rows.length > 0) void run(queue);
      return promise;
    },
    [Symbol.asyncDispose]: () => producer.disconnect(),
  };
}

function recordOf(batch: MessageBatch, row: number): { readonly key: Buffer; readonly value: Buffer } {
  const deviceId = batch.deviceIds[row];
  const sensor = batch.sensors[batch.sensorCodes[row] ?? 0]?.sensor;
  const time = isoMilliseconds(batch.timestampsMs[row] ?? 0);
  const value = `{"device_id":"${deviceId}","timestamp":"${time}","sensor":"${sensor}","value":${batch.values[row]}}`;
  return { key: Buffer.from(`${deviceId}|${sensor}|${time}`, "latin1"), value: Buffer.from(value, "latin1") };
}
