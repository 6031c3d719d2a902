import { randomBytes } from "node:crypto";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { createKafka, type KafkaSecurity } from "@devicemesh/pipeline/kafka-client";
import { jvmKafkaOptions } from "@devicemesh/pipeline/kafka-security";
import { alignDown } from "@devicemesh/proto";
import { expect } from "vitest";
import type { SparkClient } from "../src/spark/spark-client.ts";
import { startWindowJob, type WindowJob, type WindowJobOptions } from "../src/window-job/window-job.ts";
import { openWindowSession } from "../src/window-job/window-job-session.ts";
import type { WindowPlanMeaning } from "../src/window-job/window-plan.ts";
import {
  bruteForcePartials,
  differences,
  type LoggedRecord,
  type PartialMessage,
} from "./window-plan-oracle.ts";

/** The engines of a test run that the window job needs. */
export type SparkTestEngines = {
  readonly kafkaBrokers: readonly string[];
  readonly brokers: number;
  readonly sparkUrl: string;
  readonly folder: string;
  /** How to connect to the brokers; cleartext by default. */
  readonly kafkaSecurity?: KafkaSecurity;
};

/** A record to append to a chosen partition. */
export type OutgoingRecord = {
  readonly partition: number;
  readonly key: string | null;
  readonly value: string | Uint8Array | null;
};

/** Separate topics on the engines, for tests of the window job. */
export type SparkFixture = AsyncDisposable & {
  readonly partitions: number;
  readonly windowMs: number;
  readonly segmentMs: number;
  readonly meaning: WindowPlanMeaning;
  /** Appends the records, in order within a partition; resolves when the broker has them. */
  append(records: readonly OutgoingRecord[]): Promise<void>;
  /** Appends a tick to every partition; returns when the earliest was appended. */
  tick(): Promise<number>;
  /** Adds a partition to the messages topic. */
  addPartition(): Promise<void>;
  /** Opens the session of the topics with another client. */
  openSession(): SparkClient;
  /** Starts a job over the topics, in their session. At the end, jobs are closed and the query is stopped. */
  startJob(changes?: Partial<WindowJobOptions>): WindowJob;
  /** Appends ticks until the job has written the segments of everything appended before. */
  untilSealed(job: WindowJob, options?: { readonly timeoutMs?: number }): Promise<void>;
  /** Returns all records of the messages topic. */
  readMessages(): Promise<readonly LoggedRecord[]>;
  /** Returns the last partial of each key; `repeated` counts those that were written more than once. */
  readPartials(): Promise<{
    readonly partials: ReadonlyMap<string, PartialMessage>;
    readonly repeated: number;
    /** The partials of one key that are not the same text, by key. */
    readonly contradictions: readonly string[];
    readonly records: readonly LoggedRecord[];
  }>;
};

const tickIntervalMs = 500;

/**
 * Creates the topics. They are not deleted: a Spark task that is reading a deleted topic would keep a core busy for
 * minutes.
 */
export async function createSparkFixture(
  engines: SparkTestEngines,
  sizes: { readonly partitions?: number; readonly windowMs?: number; readonly segmentMs?: number } = {},
): Promise<SparkFixture> {
  const { partitions = 3, windowMs = 10_000, segmentMs = 2000 } = sizes;
  const prefix = `windows-test-${randomBytes(4).toString("hex")}-`;
  const messages = `${prefix}messages`;
  const windows = `${prefix}windows`;
  const kafka = createKafka({
    brokers: engines.kafkaBrokers,
    clientId: "window-job-test",
    security: engines.kafkaSecurity,
  });
  const admin = kafka.admin();
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await using opened = new AsyncDisposableStack();
  await Promise.all([admin.connect(), producer.connect()]);
  opened.defer(() => admin.disconnect());
  opened.defer(() => producer.disconnect());
  await admin.createTopics({
    // It fails on a broker that does not know the topic yet.
    waitForLeaders: false,
    topics: [messages, windows].map((topic) => ({
      topic,
      numPartitions: partitions,
      replicationFactor: engines.brokers,
      configEntries: [{ name: "message.timestamp.type", value: "LogAppendTime" }],
    })),
  });
  const areLed = async (): Promise<boolean> => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [messages, windows] });
    return topics.every(
      (found) =>
        found.partitions.length === partitions && found.partitions.every(({ leader }) => leader >= 0),
    );
  };
  await waitUntil(() => areLed().catch(() => false), { timeoutMs: 30_000, what: "the topics have leaders" });
  const meaning = { topic: messages, outputTopic: windows, partitions, windowMs, segmentMs };
  const openSession = () =>
    openWindowSession({ address: engines.sparkUrl, topicPrefix: prefix, database: "test" });
  const spark = opened.use(openSession());
  let lastAppendedMs = 0;

  async function appendTo(partition: number, records: readonly OutgoingRecord[]): Promise<void> {
    const most = 500;
    for (let start = 0; start < records.length; start += most) {
      const batch = records.slice(start, start + most);
      const [written] = await producer.send({
        topic: messages,
        acks: -1,
        messages: batch.map(({ key, value }) => ({
          partition,
          key,
          value: value === null ? null : Buffer.from(value),
        })),
      });
      if (written?.errorCode !== 0) throw new Error(`append failed: ${written?.errorCode}`);
      lastAppendedMs = Math.max(lastAppendedMs, Number(written.logAppendTime));
    }
  }

  async function read(topic: string): Promise<LoggedRecord[]> {
    const ends = new Map(
      (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)]),
    );
    const records: LoggedRecord[] = [];
    if ([...ends.values()].every((end) => end === 0)) return records;
    const next = new Map<number, number>();
    const groupId = `${prefix}${randomBytes(4).toString("hex")}`;
    // A member that is lost while it joins delays the others until the rebalance ends: 60 s by default.
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, rebalanceTimeout: 2000 });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      async eachMessage({ partition, message }) {
        const offset = Number(message.offset);
        next.set(partition, offset + 1);
        records.push({
          partition,
          offset,
          arrivedMs: Number(message.timestamp),
          key: message.key?.toString() ?? null,
          value: message.value?.toString() ?? null,
        });
      },
    });
    const isRead = () => [...ends].every(([partition, end]) => (next.get(partition) ?? 0) >= end);
    await waitUntil(isRead, { timeoutMs: 60_000, what: `all of ${topic}` });
    await consumer.disconnect();
    await admin.deleteGroups([groupId]);
    return records;
  }

  const jobs = opened.use(new AsyncDisposableStack());
  const fixture: Omit<SparkFixture, typeof Symbol.asyncDispose> = {
    partitions,
    windowMs,
    segmentMs,
    meaning,
    openSession,
    async addPartition() {
      const topicPartitions = [{ topic: messages, count: partitions + 1 }];
      await admin.createPartitions({ topicPartitions });
    },
    async append(records) {
      const byPartition = [...Map.groupBy(records, ({ partition }) => partition)];
      await Promise.all(byPartition.map(([partition, group]) => appendTo(partition, group)));
    },
    async tick() {
      const written = await Promise.all(
        Array.from({ length: partitions }, (_, partition) =>
          producer.send({ topic: messages, acks: -1, messages: [{ partition, key: "tick", value: null }] }),
        ),
      );
      return Math.min(...written.map(([one]) => Number(one?.logAppendTime)));
    },
    startJob(changes = {}) {
      const job = startWindowJob({
        spark,
        meaning,
        brokers: engines.kafkaBrokers,
        kafkaOptions: jvmKafkaOptions(engines.kafkaSecurity),
        checkpoints: `${engines.folder}/checkpoints/${prefix}`,
        watermarkDelayMs: 0,
        sinceOf: async () => ({ sinceMs: 0, startingOffsets: new Map() }),
        logger: silentLogger(),
        ...changes,
      });
      jobs.defer(() => job.close({ stopQuery: true }));
      return job;
    },
    async untilSealed(job, { timeoutMs = 180_000 } = {}) {
      const sealedMs = alignDown(lastAppendedMs, segmentMs) + segmentMs;
      let tickedAtMs = 0;
      await waitUntil(
        async () => {
          if (performance.now() - tickedAtMs >= tickIntervalMs) {
            tickedAtMs = performance.now();
            await fixture.tick();
          }
          return (job.progress()?.watermarkMs ?? 0) >= sealedMs;
        },
        { timeoutMs, what: `a watermark at ${sealedMs}; ${JSON.stringify(job.state())}` },
      );
    },
    readMessages: () => read(messages),
    async readPartials() {
      const records = (await read(windows)).toSorted(
        (a, b) => a.partition - b.partition || a.offset - b.offset,
      );
      const texts = Map.groupBy(records, ({ key }) => key ?? "");
      return {
        partials: new Map(
          [...texts].map(([key, group]) => [key, JSON.parse(group.at(-1)?.value ?? "") as PartialMessage]),
        ),
        repeated: [...texts.values()].filter((group) => group.length > 1).length,
        contradictions: [...texts]
          .filter(([, group]) => new Set(group.map(({ value }) => value)).size > 1)
          .map(([key]) => key),
        records,
      };
    },
  };
  const owned = opened.move();
  return { ...fixture, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/**
 * Compares all partials with brute force over all messages.
 * @throws an assertion's error that names at most ten differences.
 */
export async function expectExact(
  fixture: SparkFixture,
  job: Pick<WindowJob, "progress">,
  options: { readonly partialsMin: number; readonly sinceMs?: number },
): Promise<void> {
  const { partials, contradictions } = await fixture.readPartials();
  const { windowMs, segmentMs } = fixture;
  const { sinceMs = 0, partialsMin } = options;
  const expected = bruteForcePartials(await fixture.readMessages(), { windowMs, segmentMs, sinceMs });
  expect(differences(partials, expected)).toEqual([]);
  expect(contradictions).toEqual([]);
  expect(expected.size).toBeGreaterThanOrEqual(partialsMin);
  expect(job.progress()?.rowsDropped).toBe(0);
}
