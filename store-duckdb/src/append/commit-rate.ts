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
