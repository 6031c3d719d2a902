/** How often the store is looked after: well below a segment, so that windows are ready soon after it closes. */
const intervalMs = 1000;

/**
 * Runs `maintain` once a second, never two at once, until disposed; disposing waits for the one that runs.
 * A failure is reported, and the step is tried again the next second.
 */
export function startMaintenance(options: {
  readonly maintain: () => Promise<void>;
  readonly onFailure: (error: unknown) => void;
}): AsyncDisposable {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= options
      .maintain()
      .catch(options.onFailure)
      .finally(() => {
        running = undefined;
      });
  }, intervalMs);
  timer.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}
