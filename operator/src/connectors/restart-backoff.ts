import { type Backoff, longestDelayMs } from "@devicemesh/kit/lifetime/backoff";

/** The delays between restarts, in ms. */
export type RestartDelays = Backoff & {
  /** After this time without a failure the back-off starts again from the shortest delay. */
  readonly calmMs: number;
};

/**
 * A failed task usually waits for the database, which recovers in seconds or minutes, so these delays are short enough.
 */
export const defaultRestartDelays: RestartDelays = { firstMs: 2000, longestMs: 60_000, calmMs: 60_000 };

/** Decides when a failed task may be restarted: at once, then with growing delays while it keeps failing. */
export type RestartBackoff = {
  /** Returns whether to restart now. Takes the time (ms of any monotonic clock) and whether the task has failed. */
  due(nowMs: number, failed: boolean): boolean;
  /** Number of restarts so far. */
  readonly restarts: number;
};

/** Creates the back-off of a connector or task that has not failed yet. */
export function createRestartBackoff(delays: RestartDelays = defaultRestartDelays): RestartBackoff {
  let restarts = 0;
  /** Number of restarts since the last time without failures. */
  let repeated = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  let failedMs = Number.NEGATIVE_INFINITY;
  return {
    get restarts() {
      return restarts;
    },
    due(nowMs, failed) {
      if (!failed) {
        if (nowMs - failedMs >= delays.calmMs) repeated = 0;
        return false;
      }
      failedMs = nowMs;
      if (repeated > 0 && nowMs - lastMs < longestDelayMs(repeated - 1, delays)) return false;
      repeated += 1;
      lastMs = nowMs;
      restarts += 1;
      return true;
    },
  };
}
