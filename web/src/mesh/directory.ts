import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Series } from "@devicemesh/proto/es/devicemesh/v1/series_pb.ts";
import { signal } from "@preact/signals";
import { query } from "./clients.ts";
import { generation, status } from "./connection.ts";
import { pause } from "./pause.ts";

/** A series and its latest reading. Times are in ms since 1970, by the device's clock. */
export type KnownSeries = {
  readonly key: string;
  readonly deviceId: string;
  readonly sensor: string;
  readonly unit: string;
  readonly count: bigint;
  readonly latestMs: number | undefined;
  readonly latestValue: number | undefined;
};

/** Every series of the mesh, by device and sensor. */
export type Directory = {
  readonly series: readonly KnownSeries[];
  readonly total: number;
  /** Whether all pages have been read. */
  readonly isWhole: boolean;
};

export const directory = signal<Directory | undefined>(undefined);

const pageSize = 1000;
/** The maximum number of series that the page keeps; beyond it, a search by name finds exact names only. */
const seriesMax = 200_000;
/** Reading a large directory repeatedly takes at most this share of the time. */
const shareOfTime = 0.1;
const leastPauseMs = 2000;

/** Reads the directory repeatedly until the signal aborts; a new series appears within a few seconds. */
export async function followDirectory(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const startedMs = performance.now();
    try {
      await readDirectory(signal);
    } catch {
      // The status shows that the mesh does not answer, and why.
    }
    const pauseMs = Math.max(leastPauseMs, (performance.now() - startedMs) / shareOfTime);
    await untilChanged(pauseMs, signal);
  }
}

async function readDirectory(signal: AbortSignal): Promise<void> {
  const series: KnownSeries[] = [];
  let pageToken = "";
  do {
    const answer = await query.listSeries({ pageSize, pageToken }, { signal });
    series.push(...answer.series.map(knownSeries));
    pageToken = answer.nextPageToken;
    const isWhole = pageToken === "";
    // In the first round, pages are shown as they arrive; later the complete directory replaces the old one.
    if (isWhole || !directory.peek()?.isWhole)
      directory.value = { series: [...series], total: Number(answer.total), isWhole };
  } while (pageToken !== "" && series.length < seriesMax && !signal.aborted);
}

/** Ends early when the number of series or the connection changes. */
async function untilChanged(ms: number, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const before = { made: generation.peek(), series: status.peek()?.series };
  const stop = [
    generation.subscribe((made) => made !== before.made && ended.abort()),
    status.subscribe((now) => now?.series !== before.series && ended.abort()),
  ];
  await pause(ms, AbortSignal.any([signal, ended.signal]));
  for (const end of stop) end();
}

/** Converts a series of the contract. */
export function knownSeries({ deviceId, sensor, unit, count, latest }: Series): KnownSeries {
  return {
    key: `${deviceId}|${sensor}`,
    deviceId,
    sensor,
    unit,
    count,
    latestMs: latest?.timestamp && timestampMs(latest.timestamp),
    latestValue: latest?.value,
  };
}
