import type { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import type { MessageBatch } from "../message-log.ts";

/** An append that the log has taken and not yet answered. */
export type QueuedAppend = {
  readonly batch: MessageBatch;
  /** False once it was answered: no caller waits for its rows any more. */
  readonly open: boolean;
  /** Tells that so many more of its rows are durable; it succeeds with the last one. */
  acknowledge(rows: number): void;
  /** Answers it with an error, if it is still open. */
  fail(error: RpcError): void;
};

/**
 * Holds an append. `onTimeout` is called once if it is still open after `timeoutMs`; `onAnswered` once, after it
 * succeeded or failed.
 */
export function holdAppend(options: {
  readonly batch: MessageBatch;
  readonly timeoutMs: number;
  readonly onTimeout: (append: QueuedAppend) => void;
  readonly onAnswered: (append: QueuedAppend) => void;
}): { readonly append: QueuedAppend; readonly answer: Promise<void> } {
  const { batch, timeoutMs, onTimeout, onAnswered } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let unacknowledged = batch.length;
  let open = true;

  function close(answer: () => void): void {
    open = false;
    clearTimeout(timer);
    answer();
    onAnswered(append);
  }

  const append: QueuedAppend = {
    batch,
    get open() {
      return open;
    },
    acknowledge(rows) {
      unacknowledged -= rows;
      if (open && unacknowledged === 0) close(resolve);
    },
    fail(error) {
      if (open) close(() => reject(error));
    },
  };
  const timer = setTimeout(() => onTimeout(append), timeoutMs);
  return { append, answer: promise };
}
