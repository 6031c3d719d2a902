import { sensors } from "@devicemesh/proto";

/** A device of the bench: one of four types, in turn, each with one sensor. */
export type FleetDevice = {
  readonly deviceId: string;
  /** The index of its sensor in `sensors` of the contract. */
  readonly sensorCode: number;
  /** The time within the second at which it measures, in ms; it differs between neighbours. */
  readonly phaseMs: number;
};

/** Returns a fleet of `count` devices, with the types in turn, like the generator. */
export function createFleet(count: number): FleetDevice[] {
  return Array.from({ length: count }, (_, index) => {
    const sensorCode = index % sensors.length;
    return {
      deviceId: `${sensors[sensorCode]!.deviceType.replaceAll("_", "-")}-${String(index).padStart(4, "0")}`,
      sensorCode,
      phaseMs: (index * 37) % 1000,
    };
  });
}

/** The distribution of each sensor's values: around a mean, with the usual number of decimals. */
const habits = [
  { sensor: "temperature", middle: 21, spread: 6, step: 0.1, decimals: 1 },
  { sensor: "pressure", middle: 1013, spread: 15, step: 0.05, decimals: 2 },
  { sensor: "humidity", middle: 45, spread: 20, step: 0.2, decimals: 1 },
  { sensor: "heart_rate", middle: 72, spread: 25, step: 0.8, decimals: 1 },
] as const;

/** Any other sensor: within the bounds of most. */
const otherHabit = { middle: 50, spread: 20, step: 0.2, decimals: 1 };

/** The next value of a sensor. */
export type Wander = () => number;

/**
 * Returns values that vary like those of such a sensor: small random steps, drawn back to the mean, rounded to one or
 * two decimals. The same `random` (numbers in [0, 1)) gives the same values.
 */
export function createWander(sensorCode: number, random: () => number): Wander {
  const sensor = sensors[sensorCode]?.sensor;
  const habit = habits.find((one) => one.sensor === sensor) ?? otherHabit;
  const { middle, spread, step, decimals } = habit;
  const scale = 10 ** decimals;
  let value = middle + (random() - 0.5) * spread;
  return () => {
    value += (random() - 0.5) * 2 * step + (middle - value) * 0.001;
    return Math.round(value * scale) / scale;
  };
}

/** Returns random numbers in [0, 1) from a seed (mulberry32): the same seed gives the same numbers. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
