import type { SensorName, SensorSpec } from "@devicemesh/proto";

/** The parameters of a sensor's random walk. Values are in the sensor's unit. */
export type SensorProfile = {
  /** The typical value. */
  readonly mean: number;
  /** Each device's own mean differs from it by up to this amount. */
  readonly deviceOffset: number;
  /** The standard deviation around the device's mean. */
  readonly spread: number;
  /** The correlation time in milliseconds: after it, a deviation has decayed to 1/e. */
  readonly memoryMs: number;
  /** The amplitude of the daily cycle; a negative one is inverted. */
  readonly dailySwing: number;
  /** The smallest and the largest simulated value, inside the range of the catalog. */
  readonly lowest: number;
  readonly highest: number;
  /** Number of decimals of such a sensor. */
  readonly decimals: number;
};

/** Returns a profile for each sensor, in order, inside its range. */
export function sensorProfiles(sensors: readonly SensorSpec[]): SensorProfile[] {
  return sensors.map((spec) => {
    const { minimum, maximum } = spec;
    const usual = profiles[spec.sensor];
    // A user's catalog may exclude typical values: a kiln begins at 100 °C.
    if (usual === undefined || usual.mean <= minimum || usual.mean >= maximum) return profileOfRange(spec);
    return {
      ...usual,
      lowest: Math.max(usual.lowest, minimum),
      highest: Math.min(usual.highest, maximum),
    };
  });
}

const profiles: Partial<Record<SensorName, SensorProfile>> = {
  temperature: {
    mean: 20,
    deviceOffset: 4,
    spread: 1.2,
    memoryMs: 900_000,
    dailySwing: 4,
    lowest: -40,
    highest: 60,
    decimals: 2,
  },
  pressure: {
    mean: 1013.25,
    deviceOffset: 6,
    spread: 5,
    memoryMs: 6 * 3_600_000,
    dailySwing: 0.5,
    lowest: 950,
    highest: 1060,
    decimals: 2,
  },
  humidity: {
    mean: 50,
    deviceOffset: 12,
    spread: 6,
    memoryMs: 1_800_000,
    dailySwing: -8,
    lowest: 0,
    highest: 100,
    decimals: 1,
  },
  heart_rate: {
    mean: 85,
    deviceOffset: 10,
    spread: 16,
    memoryMs: 90_000,
    dailySwing: 5,
    lowest: 50,
    highest: 180,
    decimals: 0,
  },
};

// Any other sensor varies around the middle of its range; a state is 0 or 1.
function profileOfRange({ minimum, maximum }: SensorSpec): SensorProfile {
  const range = maximum - minimum;
  return {
    mean: minimum + range / 2,
    deviceOffset: range / 10,
    spread: range / 20,
    memoryMs: 600_000,
    dailySwing: range / 20,
    lowest: minimum,
    highest: maximum,
    decimals: range === 1 ? 0 : 2,
  };
}
