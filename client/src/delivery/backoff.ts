import type { Random } from "../random.ts";

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
 * Returns the delay after the failure of that attempt (counted from 0), in milliseconds: exponential, with jitter over
 * the upper half, so that clients that failed together do not retry together. Never less than the server requested.
 */
export function backoffDelayMs({
  attempt,
  askedMs,
  backoff,
  random,
}: {
  attempt: number;
  askedMs: number | undefined;
  backoff: Backoff;
  random: Random;
}): number {
  const longestMs = Math.min(backoff.longestMs, backoff.firstMs * 2 ** Math.min(attempt, 40));
  const jitteredMs = longestMs * (0.5 + random() / 2);
  return askedMs === undefined ? jitteredMs : Math.max(jitteredMs, askedMs * (1 + random() / 4));
}
