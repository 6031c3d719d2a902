/** The store's clock for `arrived`: whole milliseconds since 1970 that never go back. */
export type ArrivalClock = {
  /** The present moment, never before an earlier answer. */
  nowMs(): number;
  /** From here on, no answer is before `ms`. */
  raise(ms: number): void;
};

/**
 * Makes a clock that follows `clock` but never goes back, and never before `startMs`. Where `clock` is behind, since
 * it was stepped back or was ahead at an earlier start, time passes as `elapsedMs`, which no step disturbs, says: a
 * clock that stood still would close no segment until the other has caught up.
 */
export function createArrivalClock(
  clock: () => number,
  startMs: number,
  elapsedMs: () => number = () => performance.now(),
): ArrivalClock {
  let anchor = { atMs: startMs, elapsedMs: elapsedMs() };
  let latest = startMs;
  return {
    nowMs() {
      const nowMs = clock();
      const passedMs = anchor.atMs + elapsedMs() - anchor.elapsedMs;
      if (nowMs >= passedMs) anchor = { atMs: nowMs, elapsedMs: elapsedMs() };
      latest = Math.max(latest, Math.floor(Math.max(nowMs, passedMs)));
      return latest;
    },
    raise(ms) {
      if (ms > latest) anchor = { atMs: ms, elapsedMs: elapsedMs() };
      latest = Math.max(latest, ms);
    },
  };
}

/**
 * Spaces commits. Each costs most of a millisecond whatever it holds, and one of more than 122,880 rows (a
 * row group of the engine) is written once instead of four times. So under load a few large commits are far cheaper
 * than many small ones; a commit after a quiet time is not held up.
 */
export type CommitPace = {
  /** Resolves when the next commit may begin. */
  untilDue(): Promise<void>;
  /** Lets the commit that is waited for begin now. */
  hurry(): void;
  /** Tells how many readings the commit that has begun holds: the more, the longer the next one waits. */
  began(readings: number): void;
};

/** From the begin of one commit to the begin of the next, at least. */
const intervalMinMs = 10;

/** At most, and what an acknowledgement may be held up under full load. */
const intervalMaxMs = 120;

/** Up to so many readings a millisecond the shortest interval is kept; above, commits grow until the longest. */
const calmReadingsPerMs = 100;

/** Makes a pace. `monotonicMs` gives milliseconds of a clock that never jumps. */
export function createCommitInterval({ monotonicMs }: { readonly monotonicMs: () => number }): CommitPace {
  let dueMs = Number.NEGATIVE_INFINITY;
  let begin: (() => void) | undefined;
  return {
    async untilDue() {
      const waitMs = dueMs - monotonicMs();
      if (waitMs <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        begin = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      begin = undefined;
    },
    hurry: () => begin?.(),
    began(readings) {
      const intervalMs = Math.min(Math.max(readings / calmReadingsPerMs, intervalMinMs), intervalMaxMs);
      dueMs = monotonicMs() + intervalMs;
    },
  };
}
