/** Detects that a component with work to do makes no progress. */
export type ProgressWatch = {
  /**
   * Takes the progress and the remaining work at a time (ms of any monotonic clock). Returns how long there has been no
   * progress although work remains, in ms; 0 if there is progress or no work.
   */
  observe(nowMs: number, progress: { readonly committed: number; readonly lag: number }): number;
};

/** Creates a watch without observations. */
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
