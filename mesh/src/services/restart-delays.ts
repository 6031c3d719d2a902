import { type Backoff, longestDelayMs } from "@devicemesh/kit/lifetime/backoff";
import { settledMs } from "../limits.ts";

/** The delays before a process that died again is restarted. */
const backoff: Backoff = { firstMs: 250, longestMs: 10_000 };

/** Chooses the delay before each restart of one process. */
export type RestartDelays = {
  /** Returns the delay in ms after the process has died, having run for `ranMs`. */
  after(ranMs: number): number;
};

/** A process that has run for `settledMs` restarts at once; one that keeps dying waits longer each time. */
export function createRestartDelays(): RestartDelays {
  let failures = 0;
  return {
    after(ranMs) {
      if (ranMs > settledMs) {
        failures = 0;
        return 0;
      }
      failures += 1;
      return longestDelayMs(failures - 1, backoff);
    },
  };
}
