/**
 * Resolves with the first SIGINT or SIGTERM. A later one ends the process at once, with 128 + the signal's number,
 * except within `sameRequestMs` (default 300) of the first, which is the same request: npm forwards Ctrl-C to a child
 * that has already received it from the terminal. Call it once per process.
 */
export function untilShutdownSignal(
  options: { readonly sameRequestMs?: number } = {},
): Promise<NodeJS.Signals> {
  const { sameRequestMs = 300 } = options;
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    const onSignal = (signal: NodeJS.Signals): void => {
      const nowMs = performance.now();
      if (firstAtMs === undefined) {
        firstAtMs = nowMs;
        resolve(signal);
      } else if (nowMs - firstAtMs > sameRequestMs) {
        process.exit(signal === "SIGINT" ? 130 : 143);
      }
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}
