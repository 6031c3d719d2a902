import type { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import type { MessageBatch } from "../message-log.ts";
import { holdAppend, type QueuedAppend } from "./queued-append.ts";

/** The appends that a log has taken and not yet answered, those let in and those that wait for it. */
export type AppendAdmission = {
  /** Readings of all of them. */
  readonly readings: number;
  /** Takes an append, and resolves or rejects with its answer. */
  hold(batch: MessageBatch, timeoutMs: number): Promise<void>;
  /** From now on appends are let in. */
  openHost(): void;
  /** Answers every append with an error, and lets none in until the door is opened again. */
  failAll(error: RpcError): void;
  /** Resolves when there is none, or after `timeoutMs`. */
  untilEmpty(timeoutMs: number): Promise<void>;
};

/**
 * Makes one with a closed door. Appends are let in in the order they came, so that none overtakes another, while
 * the readings of those inside are at most `readingsMax` (a larger append is let in alone). How many wait is
 * bounded by the callers and by the time-outs.
 */
export function createAppendAdmission(options: {
  readonly readingsMax: number;
  /** Is given each append that is let in. */
  readonly onLetIn: (append: QueuedAppend) => void;
  /** Gives the error of an append that took too long, which may be inside or not. */
  readonly timedOut: () => RpcError;
}): AppendAdmission {
  const { readingsMax, onLetIn, timedOut } = options;
  const waiting = new Set<QueuedAppend>();
  const inside = new Set<QueuedAppend>();
  let waitingReadings = 0;
  let insideReadings = 0;
  let hostOpen = false;
  let whenEmpty: (() => void) | undefined;

  function letIn(): void {
    if (!hostOpen) return;
    for (const append of waiting) {
      const { length } = append.batch;
      if (inside.size > 0 && insideReadings + length > readingsMax) return;
      waiting.delete(append);
      waitingReadings -= length;
      inside.add(append);
      insideReadings += length;
      onLetIn(append);
    }
  }

  function onAnswered(append: QueuedAppend): void {
    if (inside.delete(append)) insideReadings -= append.batch.length;
    if (waiting.delete(append)) waitingReadings -= append.batch.length;
    letIn();
    if (waiting.size + inside.size === 0) whenEmpty?.();
  }

  return {
    get readings() {
      return waitingReadings + insideReadings;
    },
    hold(batch, timeoutMs) {
      const onTimeout = (append: QueuedAppend) => append.fail(timedOut());
      const { append, answer } = holdAppend({ batch, timeoutMs, onTimeout, onAnswered });
      waiting.add(append);
      waitingReadings += batch.length;
      letIn();
      return answer;
    },
    openHost() {
      hostOpen = true;
      letIn();
    },
    failAll(error) {
      hostOpen = false;
      for (const append of [...waiting, ...inside]) append.fail(error);
    },
    async untilEmpty(timeoutMs) {
      if (waiting.size + inside.size === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      whenEmpty = resolve;
      const timer = setTimeout(resolve, timeoutMs);
      await promise;
      clearTimeout(timer);
    },
  };
}
