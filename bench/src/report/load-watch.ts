import { loadavg } from "node:os";
import { type Spread, spreadOf } from "./statistics.ts";

/** The load average of the last minute, during a run. */
export type LoadSpread = {
  /** At the start: the load of other programs. */
  readonly before: number;
  /** Every five seconds until the end: including the measured run. */
  readonly during: Spread;
};

/** Starts to watch; `stop` ends it and returns the result. */
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
