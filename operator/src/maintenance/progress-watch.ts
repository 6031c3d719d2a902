/** Notices when something that has work to do does none of it. */
export type ProgressWatch = {
  /**
   * Takes how far it is and how much is left, at a time (ms of any clock that only goes forward). Gives back for
   * how long it has not moved although something is left, in ms; 0 if it moves or has nothing to do.
   */
  observe(nowMs: number, progress: { readonly committed: number; readonly lag: number }): number;
};

/** A watch that has seen nothing yet. */
export function createProgressWatch(): ProgressWatch {
  let committed: number | undefined;
  let movedMs = 0;
  return {
    observe(nowMs, progress) {
      if (progress.lag === 0 || progress.committed !== committed) {
        committed = progress.committed;
        movedMs = nowMs;
      }
      return nowMs - movedMs;
    },
  };
}
