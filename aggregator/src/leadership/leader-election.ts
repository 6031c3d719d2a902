import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { startLoop } from "../loop.ts";
import type { Lease } from "./lease.ts";

/** The duration of a lease and the interval of renewals: another candidate takes over within ten seconds of a kill. */
export const leaseTimes = { durationMs: 7000, intervalMs: 1000 } as const;

/** A candidate of a leader election. */
export type Election<Active> = AsyncDisposable & {
  /** The work that runs while this candidate is the leader. */
  readonly active: Active | undefined;
  /** The holder of the lease, as last observed; empty if unknown. */
  readonly holder: string;
};

/**
 * Requests the lease periodically; starts the work when it gets the lease, and stops when another candidate has it. A
 * leader continues while the database is unavailable: no other candidate can get the lease either, and two leaders for
 * a moment do no harm (additional ticks are harmless, frontiers only move forward, partials are equal). Disposing stops
 * the work and releases the lease.
 */
export function startElection<Active extends AsyncDisposable>(options: {
  readonly lease: Lease;
  readonly start: () => Promise<Active>;
  readonly onFailure: (error: unknown) => void;
  /** Called after each request of the lease and the resulting start or stop. */
  readonly onSuccess?: () => void;
  readonly onChange?: (isActive: boolean) => void;
  readonly intervalMs?: number;
}): Election<Active> {
  const { lease, start, onFailure, onSuccess, onChange = () => {} } = options;
  const { intervalMs = leaseTimes.intervalMs } = options;
  let active: Active | undefined;
  let holder = "";

  async function stop(): Promise<void> {
    const stopping = active;
    active = undefined;
    if (!stopping) return;
    onChange(false);
    await stopping[Symbol.asyncDispose]();
  }

  const loop = startLoop({
    intervalMs,
    onFailure,
    ...(onSuccess && { onSuccess }),
    async step() {
      const answer = await lease.take();
      holder = answer.holder;
      if (!answer.isHeld) return stop();
      if (active) return;
      try {
        active = await start();
      } catch (error) {
        // Another candidate may have the dependency that is unavailable here.
        await lease.release();
        throw error;
      }
      onChange(true);
    },
  });

  const close = closeOnce(async () => {
    await loop[Symbol.asyncDispose]();
    await stop();
    await lease.release().catch(onFailure);
  });
  return {
    get active() {
      return active;
    },
    get holder() {
      return holder;
    },
    [Symbol.asyncDispose]: close,
  };
}
