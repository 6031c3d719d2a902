import type { Logger } from "@devicemesh/kit/observability/logger";

/** Failures of one kind are logged at most this often, in ms. */
const everyMs = 60_000;

/**
 * Logs failures that may repeat every second while their cause lasts: the first of each kind, then one a minute with
 * the number of omitted ones.
 */
export function createFailureLog({
  logger,
  monotonicMs = () => performance.now(),
}: {
  readonly logger: Pick<Logger, "error">;
  readonly monotonicMs?: () => number;
}): (what: string, error: unknown) => void {
  const kinds = new Map<string, { loggedMs: number; skipped: number }>();
  return (what, error) => {
    const nowMs = monotonicMs();
    const kind = kinds.get(what);
    if (kind && nowMs - kind.loggedMs < everyMs) {
      kind.skipped++;
      return;
    }
    logger.error({ error, ...(kind && kind.skipped > 0 && { notLogged: kind.skipped }) }, what);
    kinds.set(what, { loggedMs: nowMs, skipped: 0 });
  };
}
