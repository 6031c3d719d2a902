import { setTimeout as delay } from "node:timers/promises";
import { type AcceptedSince, acceptedSinceOf } from "@devicemesh/pipeline";
import { BrokerError, createKafkaBrokers } from "@devicemesh/pipeline/kafka-brokers";
import type { KafkaSecurity } from "@devicemesh/pipeline/kafka-client";
import type { SensorSpec } from "@devicemesh/proto";
import { fetchV12, listOffsetsV6 } from "@platformatic/kafka";
import { createRetentionBound, type RetentionBound } from "./retention-bound.ts";

/** Interval of polls: often enough to confirm the bound many times before it is stale. */
const intervals = { knownMs: 15_000, failingMs: 1000 } as const;

/** Confirms what is known. */
const unbounded: AcceptedSince = { acceptedSinceMs: Number.NEGATIVE_INFINITY };

/** Time limit of one request, in ms. */
const requestTimeoutMs = 5000;

/** Maximum bytes of one response: a record has some hundred. */
const recordBytesMax = 1024 * 1024;

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
  const { topic, sensors, onChange } = options;
  const brokers = createKafkaBrokers({
    ...options,
    clientId: "devicemesh-ingest-retention",
    requestTimeoutMs,
  });
  const bound = createRetentionBound({ sensors });
  const stopping = new AbortController();
  const { signal } = stopping;
  const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>();
  let readTo = 0n;

  /** Returns host:port of the leader of the topic's one partition; undefined if there is no topic. */
  async function leader(): Promise<string | undefined> {
    try {
      const [address] = await brokers.leadersOf(topic);
      if (address === undefined) throw new Error(`the topic ${topic} has no leader`);
      return address;
    } catch (error) {
      if (error instanceof BrokerError && error.type === "UNKNOWN_TOPIC_OR_PARTITION") return undefined;
      throw error;
    }
  }

  /** Reads the last record, unless it is known. */
  async function read(): Promise<AcceptedSince> {
    const address = await leader();
    if (address === undefined) return unbounded;
    const connection = await brokers.to(address);
    const partition = { partitionIndex: 0, currentLeaderEpoch: -1, timestamp: endOfPartition };
    const { topics } = await listOffsetsV6.api.async(connection, -1, 0, [
      { name: topic, partitions: [partition] },
    ]);
    const end = topics[0]?.partitions[0]?.offset ?? 0n;
    if (end === 0n) throw new Error(`the topic ${topic} is empty: the operator has not written to it yet`);
    if (end <= readTo) return unbounded;
    const place = { partition: 0, fetchOffset: end - 1n, currentLeaderEpoch: -1, lastFetchedEpoch: -1 };
    const fetched = await fetchV12.api.async(
      connection,
      ...([requestTimeoutMs / 2, 1, recordBytesMax, 0, 0, -1] as const),
      [{ topicId: topic, partitions: [{ ...place, partitionMaxBytes: recordBytesMax }] }],
      [],
      "",
    );
    const record = fetched.responses[0]?.partitions[0]?.records?.at(-1)?.records.at(-1);
    const found = acceptedSinceOf(String(record?.value));
    if (found === undefined) throw new Error(`the last record of ${topic} cannot be read`);
    readTo = end;
    return found;
  }

  async function follow(): Promise<void> {
    let wasKnown: boolean | undefined;
    while (!signal.aborted) {
      let failure: unknown;
      const asOfMs = performance.now();
      try {
        bound.confirm(await read(), asOfMs);
      } catch (error) {
        failure = error;
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
  }

  const following = follow();
  return {
    acceptedSinceMs: bound.acceptedSinceMs,
    isKnown: bound.isKnown,
    unitConflict: bound.unitConflict,
    asked,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await brokers.close();
      await following;
    },
  };
}

/** Stands for the offset after the last record, in a request for offsets. */
const endOfPartition = -1n;
