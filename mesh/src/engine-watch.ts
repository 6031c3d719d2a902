import { setTimeout as delay } from "node:timers/promises";
import type { EngineName, Engines } from "@devicemesh/engines";

/** How often it is looked whether an engine has died. */
const watchIntervalMs = 3000;

/** Starts engines again that die by themselves, and tells; until it is disposed. */
export function watchEngines(engines: Engines, tell: (line: string) => void): AsyncDisposable {
  const stopping = new AbortController();
  const { signal } = stopping;
  async function restart(name: EngineName): Promise<void> {
    tell(`${name} died: starting it again`);
    await engines.start(name);
    tell(`${name} is back`);
  }
  const watching = (async () => {
    while (!signal.aborted) {
      await delay(watchIntervalMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      try {
        for (const { name, state } of await engines.status()) {
          if (state === "dead" && !signal.aborted) await restart(name);
        }
      } catch (error) {
        tell(error instanceof Error ? error.message : String(error));
      }
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await watching;
    },
  };
}
