import { sensors } from "@devicemesh/proto";
import { createFleet, createRandom, createWander } from "../load/fleet.ts";

/** A reading as every system of this bench receives it. */
export type BenchReading = {
  readonly deviceId: string;
  readonly sensor: string;
  /** Milliseconds since 1970. */
  readonly timestampMs: number;
  readonly value: number;
};

/** The readings of a run in the order in which they are sent, and the distinct ones among them. */
export type BenchReadings = {
  readonly sent: readonly BenchReading[];
  readonly distinct: readonly BenchReading[];
  readonly devices: number;
  readonly sinceMs: number;
  /** After the last reading. */
  readonly toMs: number;
};

/** The shares of readings that do not arrive once and in order. */
export const disorder = {
  /** Late by up to an hour of the devices' time. */
  lateShare: 0.2,
  lateMs: 3_600_000,
  /** Sent ahead of their time by up to a minute, as a device does whose clock is fast. */
  earlyShare: 0.02,
  earlyMs: 60_000,
  /** Sent twice, with the same value. */
  duplicateShare: 0.05,
  /** The timer of a device is late by up to this time, so that the distances of its readings differ. */
  jitterMs: 20,
  /** Every other reading is shuffled with those of the same seconds. */
  shuffleMs: 5_000,
} as const;

const devices = 400;
const sinceMs = Date.UTC(2026, 0, 15, 21, 47, 13, 217);

/**
 * Makes about `count` distinct readings of 400 devices, one reading a second each, and the order in which they arrive.
 * The same count gives the same readings.
 */
export function createBenchReadings(count: number): BenchReadings {
  const random = createRandom(11);
  const fleet = createFleet(devices);
  const wanders = fleet.map(({ sensorCode }) => createWander(sensorCode, random));
  const seconds = Math.max(2, Math.round(count / devices));
  const distinct: BenchReading[] = [];
  const arrivals: { readonly reading: BenchReading; readonly atMs: number }[] = [];
  for (let second = 0; second < seconds; second++) {
    for (const [index, { deviceId, sensorCode, phaseMs }] of fleet.entries()) {
      const reading = {
        deviceId,
        sensor: sensors[sensorCode]!.sensor,
        timestampMs: sinceMs + second * 1000 + phaseMs + Math.floor(random() * disorder.jitterMs),
        value: wanders[index]!(),
      };
      distinct.push(reading);
      arrivals.push({ reading, atMs: reading.timestampMs + delayMs(random) });
      if (random() < disorder.duplicateShare) {
        arrivals.push({ reading, atMs: reading.timestampMs + delayMs(random) });
      }
    }
  }
  arrivals.sort((a, b) => a.atMs - b.atMs);
  return {
    sent: arrivals.map(({ reading }) => reading),
    distinct,
    devices,
    sinceMs,
    toMs: sinceMs + seconds * 1000,
  };
}

function delayMs(random: () => number): number {
  const kind = random();
  if (kind < disorder.lateShare) return random() * disorder.lateMs;
  if (kind < disorder.lateShare + disorder.earlyShare) return -random() * disorder.earlyMs;
  return random() * disorder.shuffleMs;
}

/** Cuts the readings into batches of `size`, in order. */
export function* batchesOf(
  readings: readonly BenchReading[],
  size: number,
): Generator<readonly BenchReading[]> {
  for (let start = 0; start < readings.length; start += size) yield readings.slice(start, start + size);
}
