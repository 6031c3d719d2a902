/**
 * Spaces commits: each costs most of a millisecond whatever it holds, so under load a few large ones are
 * far cheaper than many small ones. A commit after a quiet time is not held up.
 */
export type CommitPace = {
  /** Resolves when the next commit may begin. */
  untilDue(): Promise<void>;
  /** Lets the commit that is waited for begin now. */
  hurry(): void;
};

/** Makes a pace of at least `intervalMs` from the begin of one commit to the begin of the next. */
export function createCommitPace(options: {
  readonly intervalMs: number;
  /** Milliseconds of a clock that never jumps. */
  readonly monotonicMs: () => number;
}): CommitPace {
  const { intervalMs, monotonicMs } = options;
  let dueMs = Number.NEGATIVE_INFINITY;
  let begin: (() => void) | undefined;

  async function untilDue(): Promise<void> {
    const waitMs = dueMs - monotonicMs();
    if (waitMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        begin = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      begin = undefined;
    }
    dueMs = monotonicMs() + intervalMs;
  }

  return { untilDue, hurry: () => begin?.() };
}
