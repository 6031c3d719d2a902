import { partitionOf } from "@devicemesh/ingest/log/kafka/murmur2";
import { clockOffMaxMs, duplicateGapMs, lateMinMs, latencyMs, oddClockEvery, sites } from "../limits.ts";
import type { FaultPlan } from "./fault-plan.ts";
import { hashOf, unitOf } from "./random.ts";

/** The fleet: how many devices, what they send, and how their readings arrive. Times are ms of simulated time. */
export type FleetConfig = {
  readonly seed: number;
  readonly devices: number;
  readonly partitions: number;
  /** The time between two readings of an ordinary device. */
  readonly intervalMs: number;
  /** One device in so many sends `hotFactor` times as often. */
  readonly hotEvery: number;
  readonly hotFactor: number;
  readonly lateShare: number;
  /** The longest delay of a late reading; delays are spread evenly over their logarithm. */
  readonly lateMaxMs: number;
  readonly duplicateShare: number;
  readonly sinceMs: number;
  readonly toMs: number;
};

/** One append of a reading. The object is reused for the next. */
export type Append = {
  /** The number of the reading among those of its device. */
  reading: number;
  /** 0, or 1 if the reading is sent again. */
  copy: number;
  /** By the device's clock. */
  timestampMs: number;
  /** When the log appends it, by a clock that is right. */
  appendMs: number;
  /** The same by the clock of its broker. */
  arrivedMs: number;
  /** A whole number, so that sums are exact in any order. */
  value: number;
};

/** Devices whose readings can be recomputed from the seed at any time, in any order, without storing them. */
export type Fleet = {
  readonly config: FleetConfig;
  readonly plan: FaultPlan;
  deviceId(device: number): string;
  partition(device: number): number;
  isHot(device: number): boolean;
  /** The number of readings that the device measures. */
  readings(device: number): number;
  /** Calls `visit` for each append of the device until the end of the run, in the order of measurement. */
  eachAppend(device: number, visit: (append: Append) => void): void;
};

/** Creates the fleet. */
export function createFleet(config: FleetConfig, plan: FaultPlan): Fleet {
  const { seed, partitions, intervalMs, hotEvery, hotFactor, lateShare, lateMaxMs, duplicateShare } = config;
  const { sinceMs, toMs } = config;
  const hotIntervalMs = Math.max(Math.round(intervalMs / hotFactor), 1);
  const lateRange = Math.log(Math.max(lateMaxMs, lateMinMs) / lateMinMs);
  const append: Append = { reading: 0, copy: 0, timestampMs: 0, appendMs: 0, arrivedMs: 0, value: 0 };

  const deviceId = (device: number): string =>
    `site-${String(device % sites).padStart(2, "0")}:device-${String(device).padStart(7, "0")}`;
  const isHot = (device: number): boolean => hashOf(seed, device) % hotEvery === 0;
  const intervalOf = (device: number): number => (isHot(device) ? hotIntervalMs : intervalMs);
  const partition = (device: number): number => partitionOf(deviceId(device), partitions);

  function clockOff(device: number): number {
    const hash = hashOf(seed + 1, device);
    if (hash % oddClockEvery !== 0) return 0;
    return Math.floor(unitOf(hashOf(hash, 1)) * 2 * clockOffMaxMs) - clockOffMaxMs;
  }

  function delayOf(hash: number): number {
    if (unitOf(hash) >= lateShare) return latencyMs.least + (hash % (latencyMs.most - latencyMs.least));
    return Math.floor(lateMinMs * Math.exp(unitOf(hashOf(hash, 2)) * lateRange));
  }

  return {
    config,
    plan,
    deviceId,
    partition,
    isHot,
    readings: (device) => Math.ceil((toMs - sinceMs) / intervalOf(device)),
    eachAppend(device, visit) {
      const everyMs = intervalOf(device);
      const own = hashOf(seed + 2, device);
      const place = partition(device);
      const offMs = clockOff(device);
      let measuredMs = sinceMs + (own % everyMs);
      for (let reading = 0; measuredMs < toMs; reading++, measuredMs += everyMs) {
        const hash = hashOf(own, reading);
        const appendMs = plan.appendMs(place, measuredMs + delayOf(hash), hash);
        if (appendMs >= toMs) continue;
        append.reading = reading;
        append.copy = 0;
        append.timestampMs = measuredMs + offMs;
        append.appendMs = appendMs;
        append.arrivedMs = appendMs + plan.clockOffMs(place, appendMs);
        append.value = (hash >>> 8) & 1023;
        visit(append);
        const again = hashOf(hash, 3);
        const isDuplicate = unitOf(again) < duplicateShare;
        if (!isDuplicate && !plan.isUnacknowledged(place, appendMs)) continue;
        const gapMs = duplicateGapMs.least + (again % (duplicateGapMs.most - duplicateGapMs.least));
        append.appendMs = Math.max(plan.appendMs(place, appendMs + gapMs, again), appendMs + 1);
        if (append.appendMs >= toMs) continue;
        append.arrivedMs = append.appendMs + plan.clockOffMs(place, append.appendMs);
        append.copy = 1;
        // A quarter of the duplicates has another value: a conflict.
        if (isDuplicate && (again >>> 8) % 4 === 0) append.value = (append.value + 500) & 1023;
        visit(append);
      }
    },
  };
}
