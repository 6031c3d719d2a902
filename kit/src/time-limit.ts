/** What `withinTime` rejects with when the time is over. */
export class TimeLimitError extends Error {
  constructor(what: string, limitMs: number) {
    super(`${what}: no answer within ${limitMs} ms`);
    this.name = "TimeLimitError";
  }
}

/**
 * Settles as `work` does, if it does so in time. The work goes on; what comes of it later is dropped.
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
