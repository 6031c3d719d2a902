import { setTimeout as delay } from "node:timers/promises";
import { backoffDelayMs } from "@devicemesh/kit/lifetime/backoff";
import { failureDelayMaxMs } from "./limits.ts";

/**
 * Runs `step` repeatedly, one at a time, with `intervalMs` between the starts or more if a step takes longer, until
 * disposed; disposing waits for the running step. A failure is reported, and the delay doubles with each consecutive
 * one.
 */
export function startLoop(options: {
  readonly intervalMs: number;
  readonly step: (signal: AbortSignal) => Promise<void>;
  readonly onFailure: (error: unknown) => void;
  readonly onSuccess?: () => void;
}): AsyncDisposable {
  const { intervalMs, step, onFailure, onSuccess } = options;
  const backoff = { firstMs: intervalMs * 2, longestMs: Math.max(failureDelayMaxMs, intervalMs) };
  const stopping = new AbortController();
  const { signal } = stopping;

  async function run(): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const beganMs = performance.now();
      let waitMs = intervalMs;
      try {
        await step(signal);
        failures = 0;
        onSuccess?.();
      } catch (error) {
        if (!signal.aborted) onFailure(error);
        waitMs = Math.max(backoffDelayMs({ attempt: failures, backoff }), intervalMs);
        failures++;
      }
      const restMs = Math.max(waitMs - (performance.now() - beganMs), 0);
      await delay(restMs, undefined, { signal }).catch(() => {});
    }
  }
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}
