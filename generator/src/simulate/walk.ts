import { randomBits, randomKey } from "@devicemesh/client/random";
import type { Devices } from "./devices.ts";
import { type SensorProfile, sensorProfiles } from "./sensor-profiles.ts";

/** Values that vary like those of real sensors. */
export type Walk = {
  /**
   * Returns the next value of the device at that index, rounded like its sensor and inside its range. The n-th value
   * depends only on seed, index, n and the interval: not on the clock, other devices, or their number.
   */
  next(index: number): number;
};

/**
 * Creates a mean-reverting random walk for each device around its own mean, with a daily cycle. The walk is the exact
 * discrete form of an Ornstein-Uhlenbeck process, so its variation over an hour is the same for steps of 10 ms and of a
 * minute. State is in typed arrays: a step allocates no object.
 */
export function createWalk({
  devices,
  intervalMs,
  seed,
}: {
  devices: Devices;
  intervalMs: number;
  seed: bigint;
}): Walk {
  const steps = sensorProfiles(devices.sensors).map((profile) => stepOf(profile, intervalMs));
  const keysLow = new Int32Array(devices.count);
  const keysHigh = new Int32Array(devices.count);
  const means = new Float64Array(devices.count);
  const deviations = new Float64Array(devices.count);
  const dayParts = new Float64Array(devices.count);
  const ticks = new Uint32Array(devices.count);
  const key = { low: 0, high: 0 };

  for (let index = 0; index < devices.count; index++) {
    const { profile } = steps[devices.sensorCodes[index]!]!;
    const own = randomKey(seed, index);
    keysLow[index] = own.low;
    keysHigh[index] = own.high;
    const place = (counter: number) => (randomBits(own, counter) >>> 0) / 2 ** 32;
    means[index] = profile.mean + (2 * place(-1) - 1) * profile.deviceOffset;
    deviations[index] = (2 * place(-2) - 1) * profile.spread;
    dayParts[index] = place(-3);
  }

  return {
    next(index) {
      const { profile, kept, added, dayStep, scale } = steps[devices.sensorCodes[index]!]!;
      const tick = ticks[index]!;
      ticks[index] = tick + 1;
      key.low = keysLow[index]!;
      key.high = keysHigh[index]!;
      const bits = randomBits(key, tick);
      const deviation = deviations[index]! * kept + added * unitNoise(bits);
      deviations[index] = deviation;
      const swing = profile.dailySwing * Math.sin(2 * Math.PI * (dayParts[index]! + tick * dayStep));
      const value = means[index]! + deviation + swing;
      return Math.round(Math.min(Math.max(value, profile.lowest), profile.highest) * scale) / scale;
    },
  };
}

const dayMs = 86_400_000;

function stepOf(profile: SensorProfile, intervalMs: number) {
  const kept = Math.exp(-intervalMs / profile.memoryMs);
  return {
    profile,
    kept,
    added: profile.spread * Math.sqrt(1 - kept * kept),
    dayStep: intervalMs / dayMs,
    scale: 10 ** profile.decimals,
  };
}

// The difference of two 16-bit halves: a triangular distribution around 0, scaled to a variance of 1; never beyond 2.5.
function unitNoise(bits: number): number {
  return (((bits & 0xffff) - (bits >>> 16)) / 65_536) * Math.sqrt(6);
}
