import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { readLines } from "../../mesh/buckets.ts";
import { query, serverNowMs } from "../../mesh/clients.ts";
import { pause } from "../../mesh/pause.ts";
import { type KnownSeries, knownSeries } from "../../mesh/series/known-series.ts";
import { usePolled } from "../../mesh/use-polled.ts";
import { boundsAt, presets } from "../../state/timeframe.ts";

const latestMs = 1000;
const trendMs = 5000;
const trendPoints = 30;
/** Rows that are scrolled past faster than this are not requested. */
const scrollingMs = 120;

/** Returns the latest values of the visible rows, every second, by key of the series. */
export function useLatest(rows: readonly KnownSeries[]): ReadonlyMap<string, KnownSeries> {
  const deviceIds = devicesOf(rows);
  const { answer } = usePolled(
    `latest ${deviceIds.join()}`,
    deviceIds.length > 0 ? latestMs : undefined,
    async (signal) => {
      if (deviceIds.length === 0) return new Map<string, KnownSeries>();
      await pause(scrollingMs, signal);
      signal.throwIfAborted();
      const { series } = await query.listSeries({ deviceIds, pageSize: 1000 }, { signal });
      return new Map(series.map(knownSeries).map((each) => [each.key, each] as const));
    },
  );
  return answer ?? new Map();
}

/** Returns the last 15 minutes of the visible rows, by key of the series. */
export function useTrends(
  rows: readonly KnownSeries[],
): ReadonlyMap<string, readonly (number | undefined)[]> {
  const deviceIds = devicesOf(rows);
  const key = `trends ${deviceIds.join()}`;
  const { answer } = usePolled(key, deviceIds.length > 0 ? trendMs : undefined, async (signal) => {
    if (deviceIds.length === 0) return new Map<string, (number | undefined)[]>();
    await pause(scrollingMs, signal);
    signal.throwIfAborted();
    const bucketMs = presets["15m"] / trendPoints;
    const bounds = boundsAt({ kind: "last", spanMs: presets["15m"] }, serverNowMs());
    const { lines } = await readLines(
      {
        deviceIds,
        sensors: [],
        bounds,
        groupBy: GroupBy.SERIES,
        resolution: { bucketSeconds: bucketMs / 1000 },
      },
      signal,
    );
    const firstMs = Math.floor((bounds.sinceMs ?? 0) / bucketMs) * bucketMs;
    return new Map(
      lines.map(({ key: series, points }) => {
        const values = new Array<number | undefined>(trendPoints + 1).fill(undefined);
        for (const { startMs, average } of points) values[(startMs - firstMs) / bucketMs] = average;
        return [series, values] as const;
      }),
    );
  });
  return answer ?? new Map();
}

function devicesOf(rows: readonly KnownSeries[]): string[] {
  return [...new Set(rows.map(({ deviceId }) => deviceId))];
}
