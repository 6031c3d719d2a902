/**
 * Signals that follow the first one this closely are the same wish: npm passes Ctrl-C on to a child that
 * has already had it from the terminal.
 */
export const sameWishMs = 300;

/**
 * Resolves with the first SIGINT or SIGTERM. A second one, more than `sameWishMs` later, ends the process at
 * once with 128 + the signal's number. Call it once per process.
 */
export function untilShutdownSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    const onSignal = (signal: NodeJS.Signals): void => {
      const nowMs = performance.now();
      if (firstAtMs === undefined) {
        firstAtMs = nowMs;
        resolve(signal);
      } else if (nowMs - firstAtMs > sameWishMs) {
        process.exit(signal === "SIGINT" ? 130 : 143);
      }
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}
