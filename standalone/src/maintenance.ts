/** Interval of maintenance: well below a segment, so that windows are ready soon after it closes. */
const intervalMs = 1000;

/**
 * Runs `maintain` once a second, one at a time, until disposed; disposing waits for the running one. Reports a failure,
 * and tries the step again the next second.
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
