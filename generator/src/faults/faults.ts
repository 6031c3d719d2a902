import type { ReadingSink } from "@devicemesh/client/delivery/frame-encoder";
import { createRandom, exponential } from "@devicemesh/client/random";
import { type SensorSpec, sensors as typedSensors } from "@devicemesh/proto";
import { createDelayedReadings } from "./delayed-readings.ts";
import type { FaultPlan } from "./fault-plan.ts";
import { invalidReadings } from "./invalid-readings.ts";
import { createShuffle } from "./shuffle.ts";

/** Sits between the devices and the outbox and simulates faults. */
export type Faults = {
  /** Takes the reading of the device with that index at that time, and passes it on, delayed, twice, or broken. */
  simulate(index: number, deviceId: string, sensorCode: number, timestampMs: number, value: number): void;
  /** Passes on the readings that are due. */
  release(nowMs: number): void;
  /** Passes on all delayed readings, due or not. */
  flush(): void;
  /** Number of delayed readings. */
  delayed(): number;
};

/**
 * Creates faults by plan, deterministic from the seed: the same readings in the same order get the same faults. A
 * reading first gets its device's clock, then is broken or not, then is duplicated or not; then each copy waits for the
 * end of its device's offline spell and for its own delay, and is shuffled.
 *
 * At most `queuedMax` readings are delayed; beyond it, readings are passed on at once: with one fault less, and never
 * lost.
 */
export function createFaults({
  plan,
  seed,
  deviceCount,
  sink,
  sensors = typedSensors,
  queuedMax = 100_000,
}: {
  plan: FaultPlan;
  seed: bigint;
  deviceCount: number;
  sink: ReadingSink;
  /** The sensors by code; those with a device type by default. */
  sensors?: readonly SensorSpec[];
  queuedMax?: number;
}): Faults {
  const random = createRandom(seed, faultStream);
  const breakers = invalidReadings(sensors);
  const delayed = createDelayedReadings(plan.lateRate > 0 || plan.offlineRate > 0 ? queuedMax : 0);
  const shuffle = plan.shuffleSpan > 1 ? createShuffle({ span: plan.shuffleSpan, random, sink }) : undefined;
  const out = shuffle?.add ?? sink;
  const skewsMs = Float64Array.from({ length: deviceCount }, () =>
    Math.round((2 * random() - 1) * plan.clockSkewMaxMs),
  );
  const onlineFromMs = new Float64Array(deviceCount);
  // The time and the device of the current reading's copies.
  let nowMs = 0;
  let device = 0;

  const happens = (rate: number) => rate > 0 && random() < rate;

  const delay: ReadingSink = (deviceId, sensorCode, timestampMs, value) => {
    const lateMs = happens(plan.lateRate)
      ? Math.min(exponential(random, plan.lateMeanMs), plan.lateMaxMs)
      : 0;
    const releaseMs = Math.max(nowMs, onlineFromMs[device]!) + lateMs;
    if (releaseMs > nowMs && delayed.delay(releaseMs, deviceId, sensorCode, timestampMs, value)) return;
    out(deviceId, sensorCode, timestampMs, value);
  };

  const double: ReadingSink = (deviceId, sensorCode, timestampMs, value) => {
    const copies = happens(plan.duplicateRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) delay(deviceId, sensorCode, timestampMs, value);
  };

  return {
    simulate(index, deviceId, sensorCode, timestampMs, value) {
      nowMs = timestampMs;
      device = index;
      if (onlineFromMs[index]! <= nowMs && happens(plan.offlineRate)) {
        onlineFromMs[index] = nowMs + exponential(random, plan.offlineMeanMs);
      }
      const skewedMs = timestampMs + skewsMs[index]!;
      if (happens(plan.invalidRate)) {
        const breakReading = breakers[Math.floor(random() * breakers.length)]!;
        breakReading(deviceId, sensorCode, skewedMs, value, double);
      } else {
        double(deviceId, sensorCode, skewedMs, value);
      }
    },
    release: (now) => delayed.release(now, out),
    flush() {
      delayed.release(Number.POSITIVE_INFINITY, out);
      shuffle?.flush();
    },
    delayed: () => delayed.size(),
  };
}

// Devices use the streams from 0 on.
const faultStream = -1;
