import type { Tick } from "./ticks.ts";

/** Estimates when the last message was appended, from the offsets of ticks alone. */
export type LogEnd = {
  /** Takes a round of ticks; `lost` names the partitions whose tick may or may not have been appended. */
  add(round: { readonly ticks: readonly Tick[]; readonly lost: readonly number[] }): void;
  /** The time to the precision of two ticks, ms since 1970; undefined if no message is known. */
  readonly logEndMs: number | undefined;
};

/**
 * Creates an estimate that starts with an earlier result. If the offsets of two ticks of a partition are more than one
 * apart, there are messages between them.
 */
export function createLogEnd(knownMs: number | undefined): LogEnd {
  let logEndMs = knownMs;
  const before = new Map<number, number>();
  const uncertain = new Map<number, number>();

  return {
    add({ ticks, lost }) {
      for (const { partition, offset, appendedMs } of ticks) {
        const previous = before.get(partition);
        const strangers = previous === undefined ? offset : offset - previous - 1;
        // Before the first tick there was something, but it is unknown what: this counts only if nothing else is known.
        const isSignificant = previous !== undefined || knownMs === undefined;
        if (isSignificant && strangers > (uncertain.get(partition) ?? 0)) {
          logEndMs = Math.max(logEndMs ?? 0, appendedMs);
        }
        before.set(partition, offset);
        uncertain.delete(partition);
      }
      for (const partition of lost) uncertain.set(partition, (uncertain.get(partition) ?? 0) + 1);
    },
    get logEndMs() {
      return logEndMs;
    },
  };
}
