/** What `withinTime` rejects with. */
export class TimeLimitError extends Error {
  constructor(limitMs: number) {
    super(`not settled within ${limitMs} ms`);
    this.name = "TimeLimitError";
  }
}

/**
 * Settles as `work` does, if it does so in time. What comes of it later is dropped.
 * @throws TimeLimitError after `limitMs`.
 */
export async function withinTime<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TimeLimitError(limitMs)), limitMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
