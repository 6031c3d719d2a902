import { setImmediate as nextIteration } from "node:timers/promises";
import { type Backoff, backoffDelayMs } from "@devicemesh/kit/lifetime/backoff";
import type { MessageBatch } from "../message-log.ts";
import { type Compression, type RecordBatchWriter, setBatchProducer } from "./kafka-record-batch.ts";
import type { LogDevice } from "./log-devices.ts";
import type { PartitionedTopic } from "./partitioned-topic.ts";

/** The limits of gathering and sending records. */
export type SendLimits = {
  /** The least time between the starts of two sends to a partition, unless one is full: rows share a send meanwhile. */
  readonly lingerMs: number;
  /** Maximum number of records in one send. */
  readonly sendRecordsMax: number;
  /** Maximum bytes of one send. */
  readonly sendBytesMax: number;
  /** Compression of the records of a send. */
  readonly compression: Compression;
  /** The delays between attempts to send. */
  readonly resend: Backoff;
};

/** An append that the log has accepted. */
export type QueuedAppend = {
  readonly batch: MessageBatch;
  /** False once it was answered: no caller waits for its rows any more. */
  readonly open: boolean;
};

/** The rows of an append for one partition: `rows[first]` to before `rows[end]`. `devices` has the device of each row. */
export type PartitionRows = {
  readonly rows: readonly number[];
  readonly devices: readonly LogDevice[];
  readonly first: number;
  readonly end: number;
};

/** The queue of one partition: sends its rows in order, one send at a time. */
export type PartitionSender<Append extends QueuedAppend> = {
  /**
   * The times (by the monotonic clock) of the first and last failure of the current series of failures, and the last
   * error; undefined after a success.
   */
  readonly failing:
    | { readonly sinceMs: number; readonly lastMs: number; readonly error: unknown }
    | undefined;
  /** Whether a send is in progress or waiting. */
  readonly busy: boolean;
  /** Adds rows of an append to the queue. */
  add(append: Append, part: PartitionRows): void;
  /** Forgets earlier failures, for a sender that has no rows left to try. */
  forgetFailure(): void;
  /** Ends after the send in progress. */
  stop(): void;
};

const dropAtLeast = 1000;

type Send<Append> = {
  readonly batch: Buffer;
  readonly records: number;
  /** The number of records of each append, in order. */
  readonly parts: readonly { readonly append: Append; readonly rows: number }[];
};

/**
 * Creates a sender. Rows that are not known to be appended are sent again, by the same producer, so that they are
 * appended once, until they are stored or no caller waits for any of them. Rows are kept as indexes in their batch, and
 * written when they are sent, so that waiting rows cost a few bytes each.
 */
export function createPartitionSender<Append extends QueuedAppend>(options: {
  readonly partition: number;
  readonly topic: Pick<PartitionedTopic, "openProducer" | "send">;
  /** May be shared by all partitions. */
  readonly writer: RecordBatchWriter;
  readonly limits: SendLimits;
  readonly monotonicMs: () => number;
  /** Called when this many more rows of an append are durably stored. */
  readonly acknowledge: (append: Append, rows: number) => void;
  readonly onSent: () => void;
  /** Called after each failed send. */
  readonly onFailed: () => void;
}): PartitionSender<Append> {
  const { partition, topic, writer, limits, monotonicMs, acknowledge, onSent, onFailed } = options;
  let waiting: ({ readonly append: Append } & PartitionRows)[] = [];
  /** Number of rows of the first append that were sent. */
  let sentRows = 0;
  let length = 0;
  let producer: { readonly id: bigint; readonly epoch: number; sequence: number } | undefined;
  let failing: PartitionSender<Append>["failing"];
  /** Number of failed sends since the last one that succeeded. */
  let failures = 0;
  let running = false;
  let stopped = false;
  let endPause: (() => void) | undefined;
  let lingering = false;
  let sentMs = Number.NEGATIVE_INFINITY;
  /** Length of `waiting` at which answered appends are dropped from it. */
  let dropAt = dropAtLeast;

  function take(): Send<Append> | undefined {
    const parts: { append: Append; rows: number }[] = [];
    let taken = 0;
    for (let full = false; !full && taken < waiting.length; ) {
      const { append, rows, devices, first, end } = waiting[taken] as (typeof waiting)[number];
      const { batch } = append;
      const start = first + sentRows;
      let next = append.open ? start : end;
      for (; next < end; next++) {
        const row = rows[next] as number;
        if (!writer.add(batch, row, devices[row] as LogDevice)) break;
      }
      full = next < end;
      length -= next - start;
      if (append.open && next > start) parts.push({ append, rows: next - start });
      sentRows = full ? next - first : 0;
      if (!full) taken++;
    }
    waiting = waiting.slice(taken);
    const { records } = writer;
    return records === 0 ? undefined : { records, parts, batch: writer.finish(Date.now()) };
  }

  /** So that appends that time out while a send takes long do not accumulate. */
  function dropAnswered(): void {
    if (waiting[0]?.append.open === false) sentRows = 0;
    waiting = waiting.filter(({ append }) => append.open);
    length = waiting.reduce((sum, { first, end }) => sum + end - first, -sentRows);
    dropAt = Math.max(dropAtLeast, 2 * waiting.length);
  }

  async function pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    endPause = resolve;
    await promise;
    clearTimeout(timer);
    endPause = undefined;
  }

  /** Waits for rows that can share the next send: those of this iteration of the event loop at least. */
  async function linger(): Promise<void> {
    if (length >= limits.sendRecordsMax || stopped) return;
    lingering = true;
    const waitMs = sentMs + limits.lingerMs - monotonicMs();
    await (waitMs > 0 ? pause(waitMs) : nextIteration());
    lingering = false;
  }

  async function sendOnce({ batch, records }: Send<Append>): Promise<void> {
    if (producer === undefined) {
      producer = { ...(await topic.openProducer()), sequence: 0 };
      setBatchProducer(batch, producer);
    }
    if ((await topic.send(partition, batch)) === "producer lost") {
      producer = undefined;
      throw new Error("the broker does not know the producer any more");
    }
    producer.sequence = (producer.sequence + records) % 2 ** 31;
  }

  /** Resolves to whether its first attempt succeeded. */
  async function deliver(send: Send<Append>): Promise<boolean> {
    let isFirst = true;
    if (producer) setBatchProducer(send.batch, producer);
    while (!stopped && send.parts.some(({ append }) => append.open)) {
      try {
        await sendOnce(send);
      } catch (error) {
        isFirst = false;
        const lastMs = monotonicMs();
        failing = { sinceMs: failing?.sinceMs ?? lastMs, lastMs, error };
        onFailed();
        if (!stopped) await pause(backoffDelayMs({ attempt: failures, backoff: limits.resend }));
        failures += 1;
        continue;
      }
      failing = undefined;
      failures = 0;
      onSent();
      for (const { append, rows } of send.parts) acknowledge(append, rows);
      return isFirst;
    }
    // The log may or may not have it, so the sequence of later rows is unknown.
    producer = undefined;
    return false;
  }

  async function run(): Promise<void> {
    while (!stopped && length > 0) {
      await linger();
      const next = take();
      if (next === undefined) continue;
      sentMs = monotonicMs();
      // A connection that failed may still read the batch.
      if (await deliver(next)) writer.recycle(next.batch);
    }
    running = false;
  }

  return {
    get failing() {
      return failing;
    },
    get busy() {
      return running;
    },
    add(append, part) {
      if (waiting.length >= dropAt) dropAnswered();
      waiting.push({ append, ...part });
      length += part.end - part.first;
      if (lingering && length >= limits.sendRecordsMax) endPause?.();
      if (running || stopped) return;
      running = true;
      void run();
    },
    forgetFailure() {
      failing = undefined;
    },
    stop() {
      stopped = true;
      endPause?.();
    },
  };
}
