import { loadavg } from "node:os";
import { type Spread, spreadOf } from "./statistics.ts";

/** The load average of the last minute, while something ran. */
export type LoadSpread = {
  /** At the start: what others did. */
  readonly before: number;
  /** Every five seconds until the end: with what was measured itself. */
  readonly during: Spread;
};

/** Begins to watch; `stop` ends it and tells. */
export function watchMachineLoad(read: () => number = () => loadavg()[0] ?? 0): { stop(): LoadSpread } {
  const before = read();
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(read()), 5000);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      samples.push(read());
      return { before, during: spreadOf(samples) };
    },
  };
}
