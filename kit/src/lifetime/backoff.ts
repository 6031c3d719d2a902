/** The delays between attempts. */
export type Backoff = {
  /** The longest delay after the first failure, in milliseconds; it doubles with each further one. */
  readonly firstMs: number;
  /** The longest delay after any failure, in milliseconds. */
  readonly longestMs: number;
};

/** 100 ms, doubling up to 10 s. */
export const defaultBackoff: Backoff = { firstMs: 100, longestMs: 10_000 };

/**
 * Returns the longest delay after the failure of that attempt (counted from 0), in milliseconds. It is the delay itself
 * where only one process retries, on its own machine.
 */
export function longestDelayMs(attempt: number, { firstMs, longestMs }: Backoff): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 40));
}

/**
 * Returns the delay after the failure of that attempt (counted from 0), in milliseconds: exponential, with jitter over
 * the upper half, so that clients that failed together do not retry together. Never less than the server requested.
 */
export function backoffDelayMs({
  attempt,
  askedMs,
  backoff,
  random = Math.random,
}: {
  readonly attempt: number;
  /** The delay that the server requested, if it did. */
  readonly askedMs?: number | undefined;
  readonly backoff: Backoff;
  /** Returns numbers from 0 inclusive to 1 exclusive. */
  readonly random?: () => number;
}): number {
  const jitteredMs = longestDelayMs(attempt, backoff) * (0.5 + random() / 2);
  return askedMs === undefined ? jitteredMs : Math.max(jitteredMs, askedMs * (1 + random() / 4));
}
