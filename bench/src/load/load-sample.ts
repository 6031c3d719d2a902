import { cpuMs } from "../report/process-usage.ts";
import type { Load } from "./load-process.ts";

/** One measurement of a server under load. */
export type LoadSample = {
  readonly readings: number;
  readonly readingsPerSecond: number;
  /** User and system time of the server process per acknowledged reading, while the load ran. */
  readonly cpuMicrosPerReading: number;
  /** CPU time divided by wall time: 1 is one busy core. */
  readonly cores: number;
};

/** Loads the server of process `pid` at full speed for `ms`, until the last reading is acknowledged. */
export async function sampleLoad(options: {
  readonly pid: number;
  readonly load: Load;
  readonly ms: number;
}): Promise<LoadSample> {
  const { pid, load, ms } = options;
  const beforeMs = cpuMs(pid);
  const startMs = performance.now();
  const readings = await load.run(ms);
  const elapsedMs = performance.now() - startMs;
  const usedMs = cpuMs(pid) - beforeMs;
  return {
    readings,
    readingsPerSecond: (readings / elapsedMs) * 1000,
    cpuMicrosPerReading: (usedMs * 1000) / readings,
    cores: usedMs / elapsedMs,
  };
}
