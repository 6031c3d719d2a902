/** The delays between restarts, in ms. */
export type RestartPacing = {
  /** Delay between the first restart and the second; it doubles with each further one. */
  readonly firstMs: number;
  /** Longest delay between two restarts. */
  readonly longestMs: number;
  /** After this time without a failure the back-off starts again from the shortest delay. */
  readonly calmMs: number;
};

/**
 * A failed task usually waits for the database, which recovers in seconds or minutes, so these delays are short enough.
 */
export const defaultRestartPacing: RestartPacing = { firstMs: 2000, longestMs: 60_000, calmMs: 60_000 };

/** Decides when a failed task may be restarted: at once, then with growing delays while it keeps failing. */
export type RestartPace = {
  /** Returns whether to restart now. Takes the time (ms of any monotonic clock) and whether the task has failed. */
  due(nowMs: number, failed: boolean): boolean;
  /** Number of restarts so far. */
  readonly restarts: number;
};

/** Creates the back-off of a connector or task that has not failed yet. */
export function createRestartBackoff(pacing: RestartPacing = defaultRestartPacing): RestartPace {
  const { firstMs, longestMs, calmMs } = pacing;
  let restarts = 0;
  let waitMs = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  let failedMs = Number.NEGATIVE_INFINITY;
  return {
    get restarts() {
      return restarts;
    },
    due(nowMs, failed) {
      if (!failed) {
        if (nowMs - failedMs >= calmMs) waitMs = 0;
        return false;
      }
      failedMs = nowMs;
      if (nowMs - lastMs < waitMs) return false;
      waitMs = waitMs === 0 ? firstMs : Math.min(waitMs * 2, longestMs);
      lastMs = nowMs;
      restarts += 1;
      return true;
    },
  };
}
