import { withoutFigures } from "@devicemesh/kit/health/dependency-health";
import { reasonOf } from "@devicemesh/kit/observability/failure-reason";
import { RpcError, unavailable } from "@devicemesh/kit/rpc/rpc-error";
import type { MessageLog } from "../message-log.ts";
import { createMessageRecords } from "../message-records.ts";
import { createAppendAdmission } from "./append-admission.ts";
import { partitionOf } from "./murmur2.ts";
import { createPartitionSender, type PartitionSender } from "./partition-sender.ts";
import type { PartitionedLogLimits } from "./partitioned-log-limits.ts";
import type { PartitionedTopic, TopicState } from "./partitioned-topic.ts";
import type { QueuedAppend } from "./queued-append.ts";
import { watchTopic } from "./topic-watch.ts";

/** What a log has done since it was made, and how it is. */
export type PartitionedLogStats = {
  /** Whether appends can be expected to succeed; false until the topic was found. */
  readonly reachable: boolean;
  /** Readings of appends that are not answered. */
  readonly readingsInFlight: number;
  /** Sends that the log acknowledged. */
  readonly sends: number;
  /** Sends that failed: each is made again as long as anybody waits for it. */
  readonly failedSends: number;
  /** Appends that were given up because they took too long. */
  readonly timedOut: number;
  /** What is wrong now: the topic cannot be asked or is another, or sends fail; undefined if nothing is. */
  readonly fault: unknown;
};

/** A MessageLog over the partitions of a topic. */
export type PartitionedMessageLog = MessageLog & {
  stats(): PartitionedLogStats;
  /**
   * Finishes what is under way within `closeGraceMs`; rejects the rest and every later append. Closing twice is
   * the same as once.
   */
  close(): Promise<void>;
};

/**
 * Makes the log. The messages of a device go to one partition, in the order they were appended. It looks for the
 * topic at once, and appends wait for that. `onReachable` is called with whether it was found, and each change after; until it
 * was found, also each other reason. A topic with other partitions than at first is refused until it has as many again.
 */
export function createPartitionedMessageLog(options: {
  readonly topic: PartitionedTopic;
  readonly limits: PartitionedLogLimits;
  readonly onReachable: (reachable: boolean, fault: unknown) => void;
  /** Milliseconds of a clock that never jumps. */
  readonly monotonicMs?: () => number;
}): PartitionedMessageLog {
  const { topic, limits, onReachable, monotonicMs = () => performance.now() } = options;
  const encode = createMessageRecords();
  const counts = { sends: 0, failedSends: 0, timedOut: 0 };
  let senders: readonly PartitionSender[] = [];
  /** Since when the topic cannot be asked, and why. */
  let describing: { readonly sinceMs: number; readonly error: unknown } | undefined;
  /** When an append was given up last. */
  let gaveUpMs = Number.NEGATIVE_INFINITY;
  /** Set while the topic is not the one that it was. */
  let refusal: RpcError | undefined;
  /** What was told; undefined before the first answer. */
  let reachable: boolean | undefined;
  let toldReason: string | undefined;
  let dropping = false;
  let closing: Promise<void> | undefined;

  const admission = createAppendAdmission({
    readingsMax: limits.readingsInFlightMax,
    onLetIn: (append) => distribute(append, senders),
    timedOut() {
      counts.timedOut++;
      gaveUpMs = monotonicMs();
      reportReachable();
      dropAnsweredSoon();
      const wrong = fault();
      return refuse(wrong instanceof RpcError ? wrong.message : "the message log is too slow");
    },
  });

  function refuse(why: string): RpcError {
    return unavailable({
      message: `${why}; nothing of this unit is acknowledged, send it again`,
      retryDelayMs: limits.retryDelayMs,
    });
  }

  function fault(): unknown {
    return refusal ?? describing?.error ?? senders.find(({ failing }) => failing)?.failing?.error;
  }

  /** Whether it has failed since before an append was given up, or for as long as one would have waited. */
  function isAway(): boolean {
    const before = Math.max(gaveUpMs, monotonicMs() - limits.appendTimeoutMs);
    const isLong = (sinceMs: number | undefined) => sinceMs !== undefined && sinceMs <= before;
    return isLong(describing?.sinceMs) || senders.some(({ failing }) => isLong(failing?.sinceMs));
  }

  function reportReachable(): void {
    const now = senders.length > 0 && refusal === undefined && !isAway();
    // At the start it matters what is missing: the brokers, or the topic. Later, reasons change with every attempt.
    const reason = senders.length === 0 ? withoutFigures(reasonOf(fault())) : undefined;
    if (now === reachable && (reason === undefined || reason === toldReason)) return;
    reachable = now;
    toldReason = reason;
    onReachable(reachable, fault());
  }

  /** Once for all appends that time out together. */
  function dropAnsweredSoon(): void {
    if (dropping) return;
    dropping = true;
    setImmediate(() => {
      dropping = false;
      for (const { rows } of senders) rows.dropAnswered();
    });
  }

  function openSender(partition: number): PartitionSender {
    return createPartitionSender({
      send: (records) => topic.send(partition, records),
      encode,
      limits,
      monotonicMs,
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
      admission.openHost();
    } else if (senders.length === partitions) {
      if (refusal) admission.openHost();
      refusal = undefined;
    } else if (refusal === undefined) {
      // Devices would change their partitions, and repeats could no longer be told from redeliveries.
      refusal = refuse(
        `the topic had ${senders.length} partitions and now has ${partitions}: restore the number of partitions or, if the topic was created again, restart ingest`,
      );
      admission.failAll(refusal);
    }
    // After a while without attempts one is made: senders come back to those that say they serve.
    const before = monotonicMs() - limits.watch.wellMs;
    for (const [partition, sender] of senders.entries()) {
      const isIdle = !sender.busy && (sender.failing?.lastMs ?? 0) <= before;
      if (isIdle && !leaderless.includes(partition)) sender.forgetFailure();
    }
    reportReachable();
  }

  const watch = watchTopic({
    topic,
    intervals: limits.watch,
    onState,
    onFailure(error) {
      describing = { sinceMs: describing?.sinceMs ?? monotonicMs(), error };
      reportReachable();
    },
    isWell: () =>
      senders.length > 0 &&
      describing === undefined &&
      refusal === undefined &&
      senders.every(({ failing }) => failing === undefined),
  });

  async function close(): Promise<void> {
    // Nobody knows when there will be a topic; what waits for it need not wait on.
    if (senders.length > 0) await admission.untilEmpty(limits.closeGraceMs);
    for (const sender of senders) sender.stop();
    admission.failAll(refuse("the message log is closing"));
    await Promise.all([watch.stop(), topic.close()]);
  }

  return {
    async append(batch) {
      if (closing) throw refuse("the message log is closed");
      if (refusal) throw refusal;
      if (batch.length === 0) return;
      await admission.hold(batch, isAway() ? limits.unavailableTimeoutMs : limits.appendTimeoutMs);
    },
    stats: () => ({
      reachable: reachable ?? false,
      readingsInFlight: admission.readings,
      ...counts,
      fault: fault(),
    }),
    close() {
      closing ??= close();
      return closing;
    },
  };
}

function distribute(append: QueuedAppend, senders: readonly PartitionSender[]): void {
  const { batch } = append;
  const rowsOf: (number[] | undefined)[] = senders.map(() => undefined);
  for (let row = 0; row < batch.length; row++) {
    const partition = partitionOf(batch.deviceIds[row] as string, senders.length);
    const rows = rowsOf[partition];
    if (rows) rows.push(row);
    else rowsOf[partition] = [row];
  }
  for (const [partition, sender] of senders.entries()) {
    const rows = rowsOf[partition];
    if (rows === undefined) continue;
    sender.rows.add(append, rows);
    sender.wake();
  }
}
