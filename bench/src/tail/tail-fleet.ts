import type { SensorName } from "@devicemesh/proto";
import { createRandom } from "../load/fleet.ts";

/** A stored reading. */
export type TailReading = {
  readonly deviceId: string;
  readonly sensor: SensorName;
  readonly timestampMs: number;
  readonly value: number;
  readonly arrivedMs: number;
};

/** Devices with one reading a second each, all of which arrive after the frontier. */
export type TailFleet = {
  readonly devices: number;
  /** The frontier: where the first second begins. */
  readonly frontierMs: number;
  /** The readings of a second, counted from the frontier. */
  readingsOf(second: number): TailReading[];
  /** Number of readings with a timestamp in [sinceMs, toMs). */
  countIn(sinceMs: number, toMs: number): number;
};

/** How long a reading takes to the log, in ms. */
const delayMs = 200;

/** Creates the fleet. Each device measures at its own time within the second. */
export function createTailFleet(devices: number, frontierMs: number): TailFleet {
  const random = createRandom(3);
  const phaseOf = (device: number): number => (device * 37) % 1000;
  /** Seconds of a device whose timestamps are before a time. */
  const before = (device: number, ms: number): number =>
    Math.max(0, Math.ceil((ms - frontierMs - phaseOf(device)) / 1000));
  return {
    devices,
    frontierMs,
    readingsOf: (second) =>
      Array.from({ length: devices }, (_, device) => {
        const timestampMs = frontierMs + second * 1000 + phaseOf(device);
        return {
          deviceId: `device-${String(device).padStart(4, "0")}`,
          sensor: "temperature",
          timestampMs,
          value: Math.round(random() * 400) / 10,
          arrivedMs: timestampMs + delayMs,
        };
      }),
    countIn(sinceMs, toMs) {
      let count = 0;
      for (let device = 0; device < devices; device++)
        count += before(device, toMs) - before(device, sinceMs);
      return count;
    },
  };
}
