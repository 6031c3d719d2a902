import { startLoop } from "../loop.ts";
import type { Lease } from "./lease.ts";

/** How long a lease lasts and how often it is asked for: another takes over within ten seconds of a kill. */
export const leaseTimes = { durationMs: 7000, intervalMs: 1000 } as const;

/** One of many that may be active. */
export type Election<Active> = AsyncDisposable & {
  /** What runs while this one is active. */
  readonly active: Active | undefined;
  /** Who holds the lease, as last seen; empty if unknown. */
  readonly holder: string;
};

/**
 * Asks for the lease again and again; starts when it gets it, and stops when another has it. Where the lease
 * cannot be asked for, an active one goes on: no other instance can get it either, and two that are active for a
 * moment do no harm (ticks are only more, frontiers only move forward, partials are the same). Disposing stops
 * it and gives the lease back.
 */
export function startElection<Active extends AsyncDisposable>(options: {
  readonly lease: Lease;
  readonly start: () => Promise<Active>;
  readonly onFailure: (error: unknown) => void;
  /** Told whenever the lease was asked for, and what followed from the answer done. */
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
      if (!answer.isQueued) return stop();
      if (active) return;
      try {
        active = await start();
      } catch (error) {
        // Another may have what is missing here.
        await lease.release();
        throw error;
      }
      onChange(true);
    },
  });

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    await loop[Symbol.asyncDispose]();
    await stop();
    await lease.release().catch(onFailure);
  }
  return {
    get active() {
      return active;
    },
    get holder() {
      return holder;
    },
    [Symbol.asyncDispose]() {
      closing ??= close();
      return closing;
    },
  };
}
