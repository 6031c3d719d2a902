import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { alignUp, builtInSensors, defaultLevels, sensors } from "@devicemesh/proto";
import { type EmbeddedStore, openEmbeddedStore } from "@devicemesh/store-duckdb";
import { createRandom, createWander } from "../load/fleet.ts";

/** The data of the query bench: each device has all four sensors, with a reading a second each. */
export const stored = {
  devices: 100,
  /** Not at the boundary of any window, and the readings cross midnight. */
  sinceMs: Date.UTC(2026, 0, 15, 21, 47, 13, 217),
  stepMs: 1000,
} as const;

/** Identifies the readings and their layout; a store with another name is not reused. */
const layout = "v1";

/** Returns the number of stored series. */
export const storedSeries = stored.devices * sensors.length;

/** The device of a number below `stored.devices`. */
export function storedDeviceId(index: number): string {
  return `station-${String(index).padStart(3, "0")}`;
}

/** Returns the end of the stored readings: the timestamp of the last, in ms. */
export function storedThroughMs(readings: number): number {
  return stored.sinceMs + (Math.ceil(readings / storedSeries) - 1) * stored.stepMs;
}

/**
 * Returns the folder of a store with `readings` readings (rounded up to whole seconds of all series), all folded.
 * Created at the first use through the store's own log, ten seconds at a time, with the clock of the log advancing as
 * if they had arrived live; reused later.
 */
export async function prepareQueryStore(options: {
  readonly cache: string;
  readonly readings: number;
  readonly progress: (line: string) => void;
}): Promise<string> {
  const { cache, readings, progress } = options;
  const folder = join(cache, `query-${layout}-${readings}`);
  if (existsSync(folder)) return folder;
  const making = `${folder}.making`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { recursive: true });
  let nowMs: number = stored.sinceMs;
  {
    await using store = await openEmbeddedStore({ folder: making, clock: () => nowMs });
    const writeNext = createWriter(store);
    const seconds = Math.ceil(readings / storedSeries);
    const reportEvery = Math.ceil(seconds / 100) * 10;
    for (let second = 0; second < seconds; second += secondsPerAppend) {
      const count = Math.min(secondsPerAppend, seconds - second);
      nowMs = stored.sinceMs + (second + count) * stored.stepMs;
      await writeNext(count);
      await store.maintain();
      if (second % reportEvery < secondsPerAppend) {
        progress(
          `storing ${readings.toLocaleString("en-US")} readings (once): ${Math.round((second / seconds) * 100)} %`,
        );
      }
    }
    // By this time every segment of every level is closed.
    nowMs = alignUp(nowMs + 1, defaultLevels.at(-1)!.segmentMs);
    await store.maintain();
  }
  await rename(making, folder);
  return folder;
}

const secondsPerAppend = 10;

/** Appends the next `count` seconds of all series. */
function createWriter(store: EmbeddedStore): (count: number) => Promise<void> {
  const random = createRandom(1);
  const series = Array.from({ length: storedSeries }, (_, index) => ({
    deviceId: storedDeviceId(Math.floor(index / sensors.length)),
    sensorCode: index % sensors.length,
    wander: createWander(index % sensors.length, random),
  }));
  let timestampMs: number = stored.sinceMs;
  return async (count) => {
    const length = count * series.length;
    const deviceIds = new Array<string>(length).fill("");
    const sensorCodes = new Uint16Array(length);
    const timestampsMs = new Float64Array(length);
    const values = new Float64Array(length);
    let row = 0;
    for (let second = 0; second < count; second++) {
      for (const { deviceId, sensorCode, wander } of series) {
        deviceIds[row] = deviceId;
        sensorCodes[row] = sensorCode;
        timestampsMs[row] = timestampMs;
        values[row] = wander();
        row++;
      }
      timestampMs += stored.stepMs;
    }
    await store.log.append({ length, deviceIds, sensors: builtInSensors, sensorCodes, timestampsMs, values });
  };
}
