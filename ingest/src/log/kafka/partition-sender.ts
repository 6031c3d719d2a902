import type { MessageRecord, MessageRecords } from "../message-records.ts";
import { createPartitionRows, type PartitionRows, type PartitionSend } from "./partition-rows.ts";

/** How records are gathered and sent. */
export type SendLimits = {
  /** How long a row may wait for others to share its send. */
  readonly lingerMs: number;
  /** Records in one send. */
  readonly sendRecordsMax: number;
  /** Bytes of keys and values in one send. */
  readonly sendBytesMax: number;
  /** How long to wait before a send is tried again, the first time; twice as long each further time, up to the largest. */
  readonly resendMinMs: number;
  readonly resendMaxMs: number;
};

/** Sends the rows of one partition in their order, one send at a time. */
export type PartitionSender = {
  readonly rows: PartitionRows;
  /** When (by the monotonic clock) sends began to fail, and failed last, and with what; undefined once one has succeeded. */
  readonly failing:
    | { readonly sinceMs: number; readonly lastMs: number; readonly error: unknown }
    | undefined;
  /** Whether something is being sent, or waits to be. */
  readonly busy: boolean;
  /** Tells that rows were added. */
  wake(): void;
  /** Forgets that sends failed; for one that has nothing to try it with. */
  forgetFailure(): void;
  /** Sends nothing more once what is under way has ended. */
  stop(): void;
};

/**
 * Makes a sender. `send` resolves when the log has all the records, and rejects if that is not known; then the
 * same records are sent again until they are there, or until no caller waits for any of them.
 */
export function createPartitionSender(options: {
  readonly send: (records: readonly MessageRecord[]) => Promise<void>;
  readonly encode: MessageRecords;
  readonly limits: SendLimits;
  readonly monotonicMs: () => number;
  readonly onSent: () => void;
  /** Is told of each send that failed. */
  readonly onFailed: () => void;
}): PartitionSender {
  const { send, encode, limits, monotonicMs, onSent, onFailed } = options;
  const rows = createPartitionRows({
    encode,
    recordsMax: limits.sendRecordsMax,
    bytesMax: limits.sendBytesMax,
  });
  let failing: PartitionSender["failing"];
  let resendMs = limits.resendMinMs;
  let running = false;
  let stopped = false;
  let endPause: (() => void) | undefined;
  let lingering = false;

  async function pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    endPause = resolve;
    await promise;
    clearTimeout(timer);
    endPause = undefined;
  }

  async function linger(): Promise<void> {
    if (rows.length >= limits.sendRecordsMax || stopped) return;
    lingering = true;
    await pause(limits.lingerMs);
    lingering = false;
  }

  async function deliver({ records, parts }: PartitionSend): Promise<void> {
    while (!stopped && parts.some(({ append }) => append.open)) {
      try {
        await send(records);
      } catch (error) {
        const lastMs = monotonicMs();
        failing = { sinceMs: failing?.sinceMs ?? lastMs, lastMs, error };
        onFailed();
        if (!stopped) await pause(resendMs);
        resendMs = Math.min(resendMs * 2, limits.resendMaxMs);
        continue;
      }
      failing = undefined;
      resendMs = limits.resendMinMs;
      onSent();
      for (const { append, rows: count } of parts) append.acknowledge(count);
      return;
    }
  }

  async function run(): Promise<void> {
    while (!stopped && rows.length > 0) {
      await linger();
      const next = rows.take();
      if (next !== undefined) await deliver(next);
    }
    running = false;
  }

  return {
    rows,
    get failing() {
      return failing;
    },
    get busy() {
      return running;
    },
    wake() {
      if (running) {
        if (lingering && rows.length >= limits.sendRecordsMax) endPause?.();
        return;
      }
      if (stopped) return;
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
