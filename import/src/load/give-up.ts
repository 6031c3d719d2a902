import type { Clock, OutboxEvent } from "@devicemesh/client";

/** Follows the failures of an outbox, and decides when a retry cannot succeed. */
export type GiveUp = {
  /** The observer of the outbox. */
  observe(event: OutboxEvent): void;
  /** Why ingest is unavailable at the moment; undefined if it is available. */
  trouble(): string | undefined;
};

// A retry does not help: the server is not ingest, or it rejects this client.
const hopelessCodes = new Set(["UNIMPLEMENTED", "PERMISSION_DENIED", "UNAUTHENTICATED"]);

/** Creates it without failures. */
export function createGiveUp({
  clock,
  giveUpAfterMs,
  onGiveUp,
}: {
  readonly clock: Clock;
  /** Gives up if ingest has failed for this time without an answer, in milliseconds; never by default. */
  readonly giveUpAfterMs?: number | undefined;
  /** May be called more than once. */
  onGiveUp(): void;
}): GiveUp {
  let trouble: string | undefined;
  let sinceMs = 0;
  return {
    observe(event) {
      if (event.kind === "unitAcked") trouble = undefined;
      if (event.kind !== "attemptFailed") return;
      const { code, message } = event.failure;
      if (trouble === undefined) sinceMs = clock.nowMs();
      trouble = `${code}: ${message}`;
      const isTooLong = giveUpAfterMs !== undefined && clock.nowMs() - sinceMs >= giveUpAfterMs;
      if (isTooLong || hopelessCodes.has(code)) onGiveUp();
    },
    trouble: () => trouble,
  };
}
