import { identityOf, type SensorName } from "@devicemesh/proto";
import type { OutgoingRecord } from "./spark-fixture.ts";

/** A reading and the partition of its device. */
export type Reading = {
  readonly deviceId: string;
  readonly partition: number;
  readonly timestampMs: number;
  readonly sensor: SensorName;
  readonly value: number;
};

/**
 * Values that lose digits in careless arithmetic. Not both 0 and the least positive number: with both in a window, the
 * plan leaves the window to raw readings.
 */
const oddValues = [1e-13, 5e-324, 97466.8, -0.1, 1, 1e15, 0.1 + 0.2, 123456789.12345679];

/** A reading of one of twelve devices: late, early, at the edge of a window, with a steady or an unusual value. */
export function adversarialReading(random: () => number, partitions: number): Reading {
  const device = Math.floor(random() * 12);
  const now = Date.now();
  const chance = random();
  const timestampMs =
    chance < 0.6
      ? now - Math.floor(random() * 3000)
      : chance < 0.75
        ? now - Math.floor(random() * 3 * 86_400_000)
        : chance < 0.85
          ? now + Math.floor(random() * 86_400_000)
          : chance < 0.98
            ? Math.floor(now / 10_000) * 10_000 + Math.floor(random() * 3) * 9999
            : Date.UTC(9999, 11, 31, 23, 59, 59, 999);
  const sensor = random() < 0.5 ? "pressure" : "temperature";
  const steady = 1013.25 + (Math.floor(random() * 3) - 1) / 100;
  return {
    deviceId: `device-${device}`,
    partition: device % partitions,
    timestampMs,
    sensor,
    value: random() < 0.1 ? (oddValues[Math.floor(random() * oddValues.length)] as number) : steady,
  };
}

/** Formats it like ingest. */
export function recordOf(reading: Reading): OutgoingRecord {
  const { partition, deviceId, timestampMs, sensor, value } = reading;
  return {
    partition,
    key: identityOf(reading),
    value: JSON.stringify({
      device_id: deviceId,
      timestamp: new Date(timestampMs).toISOString(),
      sensor,
      value,
    }),
  };
}

/** Returns the same items in another order. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** Numbers in [0, 1), the same for the same seed. */
export function seededNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}
