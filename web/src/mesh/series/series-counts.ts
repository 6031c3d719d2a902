import { durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { SeriesOrder, SeriesState } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import type { Series } from "@devicemesh/proto/es/devicemesh/v1/series_pb.ts";
import { query } from "../clients.ts";
import { usePolled } from "../use-polled.ts";

/** How many series are online and silent, and which need attention. */
export type SeriesCounts = {
  readonly online: number;
  readonly silent: number;
  /** Of the series that sent last: how many have a clock that is ahead of the server's. */
  readonly ahead: number;
  /** The device that has been silent the longest, and the one whose clock is ahead the most. */
  readonly silentExample: string;
  readonly aheadExample: string;
};

const pollMs = 3000;
/** More series with wrong clocks are not counted. */
const aheadMax = 100;

/** The counts, renewed every few seconds; undefined before the first answer and where the server cannot count so many. */
export function useSeriesCounts(limits: {
  readonly silentAfterMs: number;
  readonly aheadAfterMs: number;
}): SeriesCounts | undefined {
  const { answer } = usePolled("counts", pollMs, async (signal) => {
    const silentAfter = durationFromMs(limits.silentAfterMs);
    try {
      const [online, silent, newest] = await Promise.all([
        query.listSeries({ pageSize: 1, silentAfter, state: SeriesState.ONLINE }, { signal }),
        query.listSeries(
          { pageSize: 1, silentAfter, state: SeriesState.SILENT, order: SeriesOrder.SILENT_LONGEST },
          { signal },
        ),
        query.listSeries({ pageSize: aheadMax, order: SeriesOrder.LATEST_FIRST }, { signal }),
      ]);
      const ahead = newest.series.filter((series) => isAhead(series, limits.aheadAfterMs));
      return {
        online: Number(online.total),
        silent: Number(silent.total),
        ahead: ahead.length,
        silentExample: silent.series[0]?.deviceId ?? "",
        aheadExample: ahead[0]?.deviceId ?? "",
      };
    } catch (error) {
      // On the real engines only some thousand series are ordered by their latest readings.
      if (ConnectError.from(error).code === Code.ResourceExhausted) return undefined;
      throw error;
    }
  });
  return answer;
}

function isAhead({ age }: Series, aheadAfterMs: number): boolean {
  return age !== undefined && durationMs(age) < -aheadAfterMs;
}
