import type { ReadingSink } from "@devicemesh/client/delivery/frame-encoder";
import { createRandom, exponential } from "@devicemesh/client/random";
import { type SensorSpec, sensors as typedSensors } from "@devicemesh/proto";
import { createDelayedReadings } from "./delayed-readings.ts";
import type { FaultPlan } from "./fault-plan.ts";
import { invalidReadings } from "./invalid-readings.ts";
import { createShuffle } from "./shuffle.ts";

/** Stands between the devices and the outbox and makes things go wrong. */
export type Faults = {
  /** Takes the reading of the device at that place at that moment, and hands it on, or not yet, or twice, or broken. */
  play(index: number, deviceId: string, sensorCode: number, timestampMs: number, value: number): void;
  /** Hands on what was held back until now. */
  release(nowMs: number): void;
  /** Hands on all that is held back, due or not. */
  flush(): void;
  /** Readings held back for their time. */
  held(): number;
};

/**
 * Faults by plan, deterministic from the seed: the same readings in the same order go wrong in the same
 * way. A reading is first given its device's clock, then broken or not, then doubled or not; then each
 * copy waits for the end of its device's offline spell and for its own delay, and is shuffled.
 *
 * At most `queuedMax` readings are held back; when so many are, further ones are handed on at once: a fault
 * less, never a reading less.
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
  /** By code; those with a device type of their own by default. */
  sensors?: readonly SensorSpec[];
  queuedMax?: number;
}): Faults {
  const random = createRandom(seed, faultStream);
  const breakers = invalidReadings(sensors);
  const held = createDelayedReadings(plan.lateRate > 0 || plan.offlineRate > 0 ? queuedMax : 0);
  const shuffle = plan.shuffleSpan > 1 ? createShuffle({ span: plan.shuffleSpan, random, sink }) : undefined;
  const out = shuffle?.add ?? sink;
  const skewsMs = Float64Array.from({ length: deviceCount }, () =>
    Math.round((2 * random() - 1) * plan.clockSkewMaxMs),
  );
  const onlineFromMs = new Float64Array(deviceCount);
  // The moment and the device that the copies of the reading in hand belong to.
  let nowMs = 0;
  let device = 0;

  const happens = (rate: number) => rate > 0 && random() < rate;

  const delay: ReadingSink = (deviceId, sensorCode, timestampMs, value) => {
    const lateMs = happens(plan.lateRate)
      ? Math.min(exponential(random, plan.lateMeanMs), plan.lateMaxMs)
      : 0;
    const releaseMs = Math.max(nowMs, onlineFromMs[device]!) + lateMs;
    if (releaseMs > nowMs && held.hold(releaseMs, deviceId, sensorCode, timestampMs, value)) return;
    out(deviceId, sensorCode, timestampMs, value);
  };

  const double: ReadingSink = (deviceId, sensorCode, timestampMs, value) => {
    const copies = happens(plan.duplicateRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) delay(deviceId, sensorCode, timestampMs, value);
  };

  return {
    play(index, deviceId, sensorCode, timestampMs, value) {
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
    release: (now) => held.release(now, out),
    flush() {
      held.release(Number.POSITIVE_INFINITY, out);
      shuffle?.flush();
    },
    held: () => held.size(),
  };
}

// Devices have the streams from 0 on.
const faultStream = -1;
