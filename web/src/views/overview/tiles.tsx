import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { PipelineStatus } from "@devicemesh/proto/es/devicemesh/v1/pipeline_status_pb.ts";
import { Sparkline } from "../../chart/sparkline.tsx";
import { formatBytes, formatCount, formatRate } from "../../format/numbers.ts";
import { formatTime } from "../../format/times.ts";
import { rates } from "../../mesh/connection.ts";
import type { SeriesCounts } from "../../mesh/series/series-counts.ts";
import { strings } from "../../strings.ts";

/** The figures at the top. */
export function Tiles({
  status,
  counts,
  nowMs,
}: {
  /** Undefined before the first answer. */
  readonly status: PipelineStatus | undefined;
  readonly counts: SeriesCounts | undefined;
  readonly nowMs: number;
}) {
  const { overview } = strings;
  const completeMs = status?.completeThrough && timestampMs(status.completeThrough);
  return (
    <dl class="tiles">
      <Tile term={overview.rate} value={status ? formatRate(status.storedPerSecond) : "–"}>
        <Sparkline values={rightAligned(rates.value)} width={110} height={24} from={0} />
      </Tile>
      <Tile term={overview.online} value={counts ? formatCount(counts.online) : "–"}>
        {counts && overview.onlineOf(counts.silent)}
      </Tile>
      <Tile term={overview.stored} value={status ? formatCount(status.storedReadings) : "–"}>
        {status && overview.series(status.series)}
        {status && status.diskBytes > 0n && `, ${overview.disk(formatBytes(status.diskBytes))}`}
      </Tile>
      <Tile term={overview.complete} value={formatTime(completeMs, "local")}>
        {completeMs !== undefined && overview.completeDetail(Math.max(nowMs - completeMs, 0))}
      </Tile>
      <Tile
        term={overview.unexpected}
        value={status ? formatCount(status.duplicates + status.conflicts) : "–"}
      >
        {status && overview.unexpectedDetail(status.conflicts)}
      </Tile>
    </dl>
  );
}

function Tile({
  term,
  value,
  children,
}: {
  readonly term: string;
  readonly value: string;
  readonly children: preact.ComponentChildren;
}) {
  return (
    <div class="tile">
      <dt>{term}</dt>
      <dd class="tile-value">{value}</dd>
      <dd class="tile-detail">{children}</dd>
    </div>
  );
}

/** A minute of rates, the newest at the right, also while fewer are known. */
function rightAligned(values: readonly number[]): (number | undefined)[] {
  const shown = values.slice(-60);
  return [...new Array<undefined>(60 - shown.length).fill(undefined), ...shown];
}
