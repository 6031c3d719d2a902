/**
 * Spreads work over iterations of the event loop: each call resolves in order, at most `perIteration` in one iteration, so that a
 * thousand simultaneous watchers do not block other calls.
 */
export function createLoopIterations(perIteration: number): () => Promise<void> {
  const waiting: (() => void)[] = [];
  let isScheduled = false;

  function schedule(): void {
    isScheduled = waiting.length > 0;
    if (isScheduled) setImmediate(run);
  }
  function run(): void {
    for (const resume of waiting.splice(0, perIteration)) resume();
    schedule();
  }

  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (!isScheduled) schedule();
    });
}
