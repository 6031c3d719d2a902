import { unavailable } from "@devicemesh/kit/rpc/rpc-error";

/** The earliest timestamp that may be accepted, so that every duplicate is recognized. */
export type RetentionBound = {
  /**
   * Returns the earliest timestamp (ms since 1970) that may be accepted; -Infinity if there is no bound.
   * @throws RpcError UNAVAILABLE if it is unknown, or was not confirmed for too long: the store may have deleted
   * readings since.
   */
  acceptedSinceMs(): number;
  isKnown(): boolean;
  /** Confirms the bound at `asOfMs` (monotonic). Within a process it never goes back. */
  confirm(acceptedSinceMs: number, asOfMs: number): void;
};

/**
 * A bound whose confirmation is older than this is not used, in ms. The operator deletes nothing before the log is ten
 * minutes past a new bound; that also covers the longest append of five minutes.
 */
export const boundStaleAfterMs = 180_000;

/** Creates an unknown bound. */
export function createRetentionBound({
  monotonicMs = () => performance.now(),
}: {
  readonly monotonicMs?: () => number;
} = {}): RetentionBound {
  let known: { readonly sinceMs: number; readonly asOfMs: number } | undefined;
  const isKnown = (): boolean => known !== undefined && monotonicMs() - known.asOfMs <= boundStaleAfterMs;
  return {
    isKnown,
    acceptedSinceMs() {
      if (known && isKnown()) return known.sinceMs;
      throw unavailable({
        message:
          "the retention mark is unknown: the message log cannot be reached, or the operator has not written the mark yet",
        retryDelayMs: 1000,
      });
    },
    confirm(acceptedSinceMs, asOfMs) {
      known = { sinceMs: Math.max(known?.sinceMs ?? Number.NEGATIVE_INFINITY, acceptedSinceMs), asOfMs };
    },
  };
}
