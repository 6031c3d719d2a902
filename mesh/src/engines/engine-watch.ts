import { setTimeout as delay } from "node:timers/promises";
import type { EngineName, Engines } from "@devicemesh/engines";

/** The intervals of the watch of the engines. */
export type EngineWatchIntervals = {
  /** How often the engines are polled, in ms. */
  readonly intervalMs: number;
  /** A part of Spark that runs for this time without being ready is killed and restarted, in ms. */
  readonly unreadyLimitMs: number;
};

/** Longer than Spark's master needs to recover, and than a loaded machine delays a response. */
const watchIntervals: EngineWatchIntervals = { intervalMs: 3000, unreadyLimitMs: 90_000 };

/**
 * Restarts engines that die by themselves, until it is disposed. A part of Spark that runs but is not ready for a long
 * time is killed and restarted too: a driver whose application the master has lost never recovers by itself. The other
 * engines recover while they run, and killing them costs more than waiting.
 */
export function watchEngines(
  engines: Pick<Engines, "status" | "start" | "kill">,
  report: (line: string) => void,
  { intervalMs, unreadyLimitMs }: EngineWatchIntervals = watchIntervals,
): AsyncDisposable {
  const stopping = new AbortController();
  const { signal } = stopping;
  /** Each engine restarts independently: some are ready only once another one is. */
  const restarts = new Map<EngineName, Promise<void>>();
  const unreadySinceMs = new Map<EngineName, number>();

  async function restart(name: EngineName, { isDead, why }: { isDead: boolean; why: string }): Promise<void> {
    try {
      report(`${name} ${why}: starting it again`);
      if (!isDead) await engines.kill(name);
      if (signal.aborted) return;
      await engines.start(name);
      report(`${name} is ready again`);
    } catch (error) {
      report(error instanceof Error ? error.message : String(error));
    } finally {
      unreadySinceMs.delete(name);
      restarts.delete(name);
    }
  }

  async function poll(): Promise<void> {
    for (const { name, state, reason } of await engines.status()) {
      if (signal.aborted) return;
      if (restarts.has(name)) continue;
      if (state === "dead") {
        restarts.set(name, restart(name, { isDead: true, why: reason ? `died (${reason})` : "died" }));
      } else if (state === "unready" && name.startsWith("spark")) {
        const sinceMs = unreadySinceMs.get(name) ?? performance.now();
        unreadySinceMs.set(name, sinceMs);
        if (performance.now() - sinceMs < unreadyLimitMs) continue;
        restarts.set(
          name,
          restart(name, { isDead: false, why: `is not ready (${reason ?? "does not answer"})` }),
        );
      } else {
        unreadySinceMs.delete(name);
      }
    }
  }

  const watching = (async () => {
    while (!signal.aborted) {
      await delay(intervalMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      await poll().catch((error: unknown) => report(error instanceof Error ? error.message : String(error)));
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await watching;
      await Promise.all(restarts.values());
    },
  };
}
