/** The error of `withinTime` at the time limit. */
export class TimeLimitError extends Error {
  constructor(what: string, limitMs: number) {
    super(`${what}: no answer within ${limitMs} ms`);
    this.name = "TimeLimitError";
  }
}

/**
 * Settles like `work`, if that settles in time. The work continues afterwards; its later result is ignored.
 * @throws TimeLimitError that names `what` after `ms`.
 */
export async function withinTime<T>(
  work: Promise<T>,
  limit: { readonly ms: number; readonly what: string },
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TimeLimitError(limit.what, limit.ms)), limit.ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Like `withinTime`, but cancels the work: `work` gets a signal that aborts at the time limit, when `signal` aborts, or
 * when a part of the work has failed. It does not wait for work that ignores the signal.
 * @throws TimeLimitError that names `what` after `ms`; the reason of `signal`.
 */
export async function cancelledAfter<T>(
  work: (signal: AbortSignal) => Promise<T>,
  limit: { readonly ms: number; readonly what: string; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  const { ms, what, signal: outer } = limit;
  outer?.throwIfAborted();
  const cancelling = new AbortController();
  const { promise: cancelled, reject } = Promise.withResolvers<never>();
  cancelling.signal.addEventListener("abort", () => reject(cancelling.signal.reason), { once: true });
  const onOuter = (): void => cancelling.abort(outer?.reason);
  outer?.addEventListener("abort", onOuter, { once: true });
  const timer = setTimeout(() => cancelling.abort(new TimeLimitError(what, ms)), ms);
  try {
    return await Promise.race([work(cancelling.signal), cancelled]);
  } catch (error) {
    // One of several requests may have failed: the others are useless now.
    cancelling.abort(error);
    throw error;
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", onOuter);
  }
}

/**
 * Settles like `work`, unless `signal` aborts before. The work continues then; its later result is ignored.
 * @throws the reason of `signal` as soon as it aborts.
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([aborted.promise, work]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
