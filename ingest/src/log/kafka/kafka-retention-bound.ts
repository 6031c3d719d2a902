import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { unlessAborted, withinTime } from "@devicemesh/kit/async/time-limit";
import { type AcceptedSince, acceptedSinceOf } from "@devicemesh/pipeline";
import { createKafka, type KafkaSecurity } from "@devicemesh/pipeline/kafka-client";
import type { SensorSpec } from "@devicemesh/proto";
import type { Admin, Kafka } from "kafkajs";
import { createRetentionBound, type RetentionBound } from "../retention-bound.ts";

/** Interval of polls: often enough to confirm the bound many times before it is stale. */
const intervals = { knownMs: 15_000, failingMs: 1000 } as const;

/** Confirms what is known. */
const unbounded: AcceptedSince = { acceptedSinceMs: Number.NEGATIVE_INFINITY };

/** Time limit of one poll of the topic, in ms. */
const pollLimitMs = 20_000;

/** The bound of ingest, from the retention topic. */
export type KafkaRetentionBound = AsyncDisposable &
  Pick<RetentionBound, "acceptedSinceMs" | "isKnown" | "unitConflict"> & {
    /** Resolves after the first poll of the topic, also if it failed. */
    readonly asked: Promise<void>;
  };

/**
 * Follows the retention topic: one record that the operator replaces when it starts and whenever a retention mark moves. Without the
 * topic, which an older operator does not create, there is no bound. `onChange` is called with whether the bound is
 * known, and why not, whenever that changes.
 */
export function followRetentionTopic(options: {
  /** host:port of each bootstrap broker. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly security?: KafkaSecurity | undefined;
  /** The sensors of ingest's catalog. */
  readonly sensors: readonly Pick<SensorSpec, "sensor" | "unit">[];
  readonly onChange: (isKnown: boolean, error?: unknown) => void;
}): KafkaRetentionBound {
  const { brokers, topic, security, sensors, onChange } = options;
  const kafka = createKafka({ brokers, security, clientId: "devicemesh-ingest-retention", retries: 1 });
  const bound = createRetentionBound({ sensors });
  const stopping = new AbortController();
  const { signal } = stopping;
  const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>();
  let admin: Admin | undefined;
  let readTo = 0;

  async function dropAdmin(): Promise<void> {
    const old = admin;
    admin = undefined;
    await old?.disconnect().catch(() => {});
  }

  /** Returns the end of the topic; undefined if there is no topic. */
  async function endOfTopic(): Promise<number | undefined> {
    if (!admin) {
      admin = kafka.admin();
      await admin.connect();
    }
    if (!(await admin.listTopics()).includes(topic)) return undefined;
    const [partition] = await admin.fetchTopicOffsets(topic);
    return Number(partition?.high ?? 0);
  }

  async function poll(): Promise<void> {
    const asOfMs = performance.now();
    const end = await endOfTopic();
    if (end === undefined) return bound.confirm(unbounded, asOfMs);
    if (end === 0) throw new Error(`the topic ${topic} is empty: the operator has not written to it yet`);
    let accepted = unbounded;
    if (end > readTo) {
      accepted = await readRecord(kafka, topic, end - 1);
      readTo = end;
    }
    bound.confirm(accepted, asOfMs);
  }

  async function follow(): Promise<void> {
    let wasKnown: boolean | undefined;
    while (!signal.aborted) {
      let failure: unknown;
      try {
        const polled = withinTime(poll(), { ms: pollLimitMs, what: `the retention topic ${topic}` });
        await unlessAborted(polled, signal);
      } catch (error) {
        failure = error;
        // A broker that does not answer would block this.
        void dropAdmin();
      }
      if (signal.aborted) break;
      if (bound.isKnown() !== wasKnown) {
        wasKnown = bound.isKnown();
        onChange(wasKnown, failure ?? bound.unitConflict());
      }
      wasAsked();
      const pauseMs = failure === undefined ? intervals.knownMs : intervals.failingMs;
      await delay(pauseMs, undefined, { signal }).catch(() => {});
    }
    void dropAdmin();
  }

  const following = follow();
  return {
    acceptedSinceMs: bound.acceptedSinceMs,
    isKnown: bound.isKnown,
    unitConflict: bound.unitConflict,
    asked,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await following;
    },
  };
}

/** Reads the record at an offset of the topic's one partition, with a separate group that commits nothing. */
async function readRecord(kafka: Kafka, topic: string, offset: number): Promise<AcceptedSince> {
  const consumer = kafka.consumer({
    groupId: `${topic}-reader-${randomUUID()}`,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 500,
  });
  const { promise, resolve, reject } = Promise.withResolvers<AcceptedSince>();
  promise.catch(() => {});
  try {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      async eachMessage({ message }) {
        if (Number(message.offset) < offset) return;
        const found = acceptedSinceOf(message.value?.toString() ?? "");
        if (found === undefined) reject(new Error(`the last record of ${topic} cannot be read`));
        else resolve(found);
      },
    });
    consumer.seek({ topic, partition: 0, offset: String(offset) });
    return await withinTime(promise, { ms: pollLimitMs / 2, what: `the last record of ${topic}` });
  } finally {
    await consumer.disconnect().catch(() => {});
  }
}
