import { setTimeout as delay } from "node:timers/promises";
import { withinTime } from "@devicemesh/kit/async/time-limit";
import { withoutFigures } from "@devicemesh/kit/health/dependency-health";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { reasonOf } from "@devicemesh/kit/observability/failure-reason";
import { RpcError, unavailable } from "@devicemesh/kit/rpc/rpc-error";
import type { MessageBatch, MessageLog } from "../message-log.ts";
import { createRecordBatchWriter } from "./kafka-record-batch.ts";
import { createLogDevices, type LogDevices } from "./log-devices.ts";
import { createPartitionSender, type PartitionSender, type QueuedAppend } from "./partition-sender.ts";
import type { PartitionedLogLimits } from "./partitioned-log-limits.ts";
import type { PartitionedTopic, TopicState } from "./partitioned-topic.ts";

/** The counts of a log since it was created, and its state. */
export type PartitionedLogStats = {
  /** Whether appends are expected to succeed; false until the topic was found. */
  readonly reachable: boolean;
  /** Readings of unanswered appends. */
  readonly readingsInFlight: number;
  /** Sends that the log acknowledged. */
  readonly sends: number;
  /** Sends that failed: each is retried while a caller waits for it. */
  readonly failedSends: number;
  /** Appends that exceeded their time limit. */
  readonly timedOut: number;
  /** The current problem: the topic is unreachable or has changed, or sends fail; undefined if there is none. */
  readonly fault: unknown;
};

/** A MessageLog over the partitions of a topic. */
export type PartitionedMessageLog = MessageLog & {
  stats(): PartitionedLogStats;
  /**
   * Finishes appends in progress within `closeGraceMs`; rejects the rest and every later append. Closing again has no
   * effect.
   */
  close(): Promise<void>;
};

/** An append, and what its answer needs. */
type OpenAppend = QueuedAppend & {
  open: boolean;
  unacknowledged: number;
  readonly promise: Promise<undefined>;
  readonly resolve: (found: undefined) => void;
  readonly reject: (error: RpcError) => void;
  timer: NodeJS.Timeout | undefined;
};

/**
 * Creates the log. The messages of a device go to one partition, in the order they were appended. It looks for the
 * topic at once, and appends wait for that. `onReachable` is called with whether it was found, and at each change
 * afterwards; until it was found, also for each other reason. A topic whose number of partitions has changed is rejected
 * until it has the original number again.
 */
export function createPartitionedMessageLog(options: {
  readonly topic: PartitionedTopic;
  readonly limits: PartitionedLogLimits;
  readonly onReachable: (reachable: boolean, fault: unknown) => void;
  /** A monotonic clock in milliseconds. */
  readonly monotonicMs?: () => number;
}): PartitionedMessageLog {
  const { topic, limits, onReachable, monotonicMs = () => performance.now() } = options;
  const writer = createRecordBatchWriter({
    recordsMax: limits.sendRecordsMax,
    bytesMax: limits.sendBytesMax,
    compression: limits.compression,
  });
  const counts = { sends: 0, failedSends: 0, timedOut: 0 };
  const open = new Set<OpenAppend>();
  let readings = 0;
  let senders: readonly PartitionSender<OpenAppend>[] = [];
  let devices: LogDevices | undefined;
  /** Since when the topic is unreachable, and why. */
  let describing: { readonly sinceMs: number; readonly error: unknown } | undefined;
  /** Time of the last append that timed out. */
  let gaveUpMs = Number.NEGATIVE_INFINITY;
  /** Set while the topic differs from the original one. */
  let refusal: RpcError | undefined;
  /** The last reported state; undefined before the first response. */
  let reachable: boolean | undefined;
  let reportedReason: string | undefined;
  const stopping = new AbortController();
  const { signal } = stopping;

  function refuse(why: string): RpcError {
    return unavailable({
      message: `${why}; nothing of this unit is acknowledged, send it again`,
      retryDelayMs: limits.retryDelayMs,
    });
  }

  function fault(): unknown {
    return refusal ?? describing?.error ?? senders.find(({ failing }) => failing)?.failing?.error;
  }

  /** Whether it has failed since before an append timed out, or for as long as one would have waited. */
  function isUnavailable(): boolean {
    const before = Math.max(gaveUpMs, monotonicMs() - limits.appendTimeoutMs);
    const isLong = (sinceMs: number | undefined) => sinceMs !== undefined && sinceMs <= before;
    return isLong(describing?.sinceMs) || senders.some(({ failing }) => isLong(failing?.sinceMs));
  }

  function reportReachable(): void {
    const now = senders.length > 0 && refusal === undefined && !isUnavailable();
    // At the start the reason matters: the brokers, or the topic. Later, reasons change with every attempt.
    const reason = senders.length === 0 ? withoutFigures(reasonOf(fault())) : undefined;
    if (now === reachable && (reason === undefined || reason === reportedReason)) return;
    reachable = now;
    reportedReason = reason;
    onReachable(reachable, fault());
  }

  function onTimeout(append: OpenAppend): void {
    counts.timedOut++;
    gaveUpMs = monotonicMs();
    reportReachable();
    const wrong = fault();
    fail(append, refuse(wrong instanceof RpcError ? wrong.message : "the message log is too slow"));
  }

  function queue(batch: MessageBatch, timeoutMs: number): Promise<undefined> {
    const append: OpenAppend = {
      ...Promise.withResolvers<undefined>(),
      batch,
      open: true,
      unacknowledged: batch.length,
      timer: undefined,
    };
    append.timer = setTimeout(onTimeout, timeoutMs, append);
    open.add(append);
    readings += batch.length;
    distribute(append);
    return append.promise;
  }

  /** Passes each row to the sender of its device's partition; later, if there are none yet. */
  function distribute(append: OpenAppend): void {
    if (devices === undefined) return;
    const { ends, ...sorted } = devices.sort(append.batch);
    let first = 0;
    for (const [partition, sender] of senders.entries()) {
      const end = ends[partition] as number;
      if (end > first) sender.add(append, { ...sorted, first, end });
      first = end;
    }
  }

  function release(append: OpenAppend): void {
    append.open = false;
    open.delete(append);
    clearTimeout(append.timer);
    readings -= append.batch.length;
  }

  function acknowledge(append: OpenAppend, rows: number): void {
    append.unacknowledged -= rows;
    if (append.unacknowledged > 0 || !append.open) return;
    release(append);
    append.resolve(undefined);
  }

  function fail(append: OpenAppend, error: RpcError): void {
    if (!append.open) return;
    release(append);
    append.reject(error);
  }

  function failAll(error: RpcError): void {
    for (const append of open) fail(append, error);
  }

  function openSender(partition: number): PartitionSender<OpenAppend> {
    return createPartitionSender({
      partition,
      topic,
      writer,
      limits,
      monotonicMs,
      acknowledge,
      onSent() {
        counts.sends++;
        describing = undefined;
        if (!reachable) reportReachable();
      },
      onFailed() {
        counts.failedSends++;
        reportReachable();
      },
    });
  }

  function onState({ partitions, leaderless }: TopicState): void {
    describing = undefined;
    if (senders.length === 0) {
      senders = Array.from({ length: partitions }, (_, partition) => openSender(partition));
      devices = createLogDevices({ partitions });
      for (const append of open) distribute(append);
    } else if (senders.length === partitions) {
      refusal = undefined;
    } else if (refusal === undefined) {
      // Devices would change their partitions, and duplicates could no longer be distinguished from redeliveries.
      refusal = refuse(
        `the topic had ${senders.length} partitions and now has ${partitions}: restore the number of partitions or, if the topic was created again, restart ingest`,
      );
      failAll(refusal);
    }
    // After a time without attempts one is made: senders return to instances that report SERVING.
    const before = monotonicMs() - limits.watch.healthyMs;
    for (const [partition, sender] of senders.entries()) {
      const isIdle = !sender.busy && (sender.failing?.lastMs ?? 0) <= before;
      if (isIdle && !leaderless.includes(partition)) sender.forgetFailure();
    }
    reportReachable();
  }

  async function watch(): Promise<void> {
    while (!signal.aborted) {
      try {
        const state = await topic.describe();
        if (!signal.aborted) onState(state);
      } catch (error) {
        describing = { sinceMs: describing?.sinceMs ?? monotonicMs(), error };
        if (!signal.aborted) reportReachable();
      }
      const pauseMs =
        senders.length > 0 && fault() === undefined ? limits.watch.healthyMs : limits.watch.failingMs;
      await delay(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  const close = closeOnce(async () => {
    const answered = Promise.allSettled([...open].map(({ promise }) => promise));
    const limit = { ms: limits.closeGraceMs, what: "the appends in progress" };
    // It is unknown when the topic will exist; appends that wait for it are rejected.
    if (senders.length > 0) await withinTime(answered, limit).catch(() => {});
    for (const sender of senders) sender.stop();
    failAll(refuse("the message log is closing"));
    stopping.abort();
    await Promise.all([watching, topic.close()]);
  });
  const watching = watch();

  return {
    append(batch) {
      if (close.isClosing) return Promise.reject(refuse("the message log is closed"));
      if (refusal) return Promise.reject(refusal);
      if (batch.length === 0) return Promise.resolve(undefined);
      // Without a result: the raw collection decides later what is a duplicate.
      return queue(batch, isUnavailable() ? limits.unavailableTimeoutMs : limits.appendTimeoutMs);
    },
    stats: () => ({
      reachable: reachable ?? false,
      readingsInFlight: readings,
      ...counts,
      fault: fault(),
    }),
    close,
  };
}
