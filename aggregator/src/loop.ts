import { setTimeout as delay } from "node:timers/promises";
import { backoffDelayMs } from "@devicemesh/kit/lifetime/backoff";
import { failureDelayMaxMs } from "./limits.ts";

/** A step that runs again and again until it is disposed; disposing waits for the running step. */
export type Loop = AsyncDisposable & {
  /**
   * Starts the next step now, or directly after the running one. After a failure it has no effect until the delay is
   * over: callers do not know of the failure.
   */
  wake(): void;
};

/**
 * Runs `step` repeatedly, one at a time, with `intervalMs` between the starts or more if a step takes longer. With
 * `dueInMs` the delay after a success is what it returns. A failure is reported, and the delay doubles with each
 * consecutive one.
 */
export function startLoop(options: {
  readonly intervalMs: number;
  readonly dueInMs?: (() => number) | undefined;
  readonly step: (signal: AbortSignal) => Promise<void>;
  readonly onFailure: (error: unknown) => void;
  readonly onSuccess?: () => void;
}): Loop {
  const { intervalMs, dueInMs, step, onFailure, onSuccess } = options;
  const backoff = { firstMs: intervalMs * 2, longestMs: Math.max(failureDelayMaxMs, intervalMs) };
  const stopping = new AbortController();
  const { signal } = stopping;
  let isWoken = false;
  let waiting: AbortController | undefined;

  async function rest(ms: number): Promise<void> {
    await delay(ms, undefined, { signal }).catch(() => {});
  }

  async function restUnlessWoken(ms: number): Promise<void> {
    if (isWoken) return;
    waiting = new AbortController();
    await delay(ms, undefined, { signal: AbortSignal.any([signal, waiting.signal]) }).catch(() => {});
    waiting = undefined;
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      isWoken = false;
      const beganMs = performance.now();
      const restMs = (waitMs: number): number => Math.max(waitMs - (performance.now() - beganMs), 0);
      try {
        await step(signal);
        failures = 0;
        onSuccess?.();
      } catch (error) {
        if (!signal.aborted) onFailure(error);
        const waitMs = Math.max(backoffDelayMs({ attempt: failures, backoff }), intervalMs);
        failures++;
        await rest(restMs(waitMs));
        continue;
      }
      await restUnlessWoken(dueInMs ? dueInMs() : restMs(intervalMs));
    }
  }
  const running = run();
  return {
    wake() {
      isWoken = true;
      waiting?.abort();
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}
