import { durationFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { AggregateRow, Coverage } from "../gen/devicemesh/v1/aggregate_pb.ts";
import type { WatchAggregatesResponse } from "../gen/devicemesh/v1/query_service_pb.ts";
import type { Mesh } from "./mesh.ts";

/** A sensor of a device. */
export type Series = { readonly deviceId: string; readonly sensor: string };

/** The aggregates of readings. A row without readings has no figures. */
export type FilledRow = AggregateRow & {
  readonly [figure in "average" | "minimum" | "maximum"]: number;
};

/** Whether the row has readings, and therefore all its figures. */
export function hasReadings(row: AggregateRow): row is FilledRow {
  return row.count > 0n;
}

/** A window with readings, and its aggregates. Times are in ms since 1970, `endMs` exclusive. */
export type Window = { readonly startMs: number; readonly endMs: number; readonly row: FilledRow };

/** The options and callbacks of a watch. */
export type WatchOptions = {
  readonly series: Series;
  readonly bucketMs: number;
  /** Number of windows. */
  readonly windowsMax: number;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Receives the windows in order of time, whenever one of them has changed. */
  readonly onWindows: (windows: readonly Window[], coverage: Coverage | undefined) => void;
  /** The stream has broken, and is opened again after this number of ms. */
  readonly onBroken: (problem: ConnectError | undefined, retryMs: number) => void;
};

const retryMinMs = 500;
const retryMaxMs = 10_000;

/**
 * Watches the last windows of a series until the signal aborts. If the server stops or the connection is lost, it opens
 * the stream again, with a growing delay.
 * @throws ConnectError if a retry would not help, such as UNAUTHENTICATED.
 */
export async function watchWindows(mesh: Mesh, options: WatchOptions): Promise<void> {
  const { series, bucketMs, windowsMax, signal, onWindows, onBroken } = options;
  const request = {
    deviceIds: [series.deviceId],
    sensors: [series.sensor],
    bucket: durationFromMs(bucketMs),
    lastBuckets: windowsMax,
  };
  let retryMs = retryMinMs;
  while (!signal.aborted) {
    let problem: ConnectError | undefined;
    try {
      let windows: readonly Window[] = [];
      for await (const message of mesh.watchAggregates(request, { signal })) {
        windows = withChanges(windows, message, windowsMax * bucketMs);
        retryMs = retryMinMs;
        onWindows(windows, message.coverage);
      }
    } catch (error) {
      problem = ConnectError.from(error);
      if (!signal.aborted && !isPassing(problem)) throw problem;
    }
    if (signal.aborted) return;
    onBroken(problem, retryMs);
    await delay(retryMs, signal);
    retryMs = Math.min(2 * retryMs, retryMaxMs);
  }
}

/** Merges the windows of a message, and drops those older than `spanMs`. */
function withChanges(
  windows: readonly Window[],
  { snapshot, buckets }: WatchAggregatesResponse,
  spanMs: number,
): Window[] {
  const byStart = new Map(snapshot ? [] : windows.map((window) => [window.startMs, window]));
  for (const { start, end, row } of buckets) {
    if (!start || !end || !row || !hasReadings(row)) continue;
    byStart.set(timestampMs(start), { startMs: timestampMs(start), endMs: timestampMs(end), row });
  }
  const sorted = [...byStart.values()].sort((one, other) => one.startMs - other.startMs);
  const newestEndMs = sorted.at(-1)?.endMs ?? 0;
  return sorted.filter(({ startMs }) => startMs >= newestEndMs - spanMs);
}

/** UNAVAILABLE, or no response at all: fetch throws a TypeError then. */
function isPassing({ code, cause }: ConnectError): boolean {
  return code === Code.Unavailable || cause instanceof TypeError;
}

/** Resolves after this number of ms, or when the signal aborts. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
