import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { LevelStatus, PipelineStatus } from "@devicemesh/proto/es/devicemesh/v1/pipeline_status_pb.ts";
import { formatCount, formatRate } from "../../format/numbers.ts";
import { formatDuration, formatMoment, formatTime } from "../../format/times.ts";
import { strings } from "../../strings.ts";

/** One stage of the diagram: its name, its main figure, and details. */
export type Stage = { readonly name: string; readonly figure: string; readonly details: readonly string[] };

/** Returns the stages from the devices to the answers. Pure. */
export function stagesOf(status: PipelineStatus): Stage[] {
  const { pipeline, overview } = strings;
  const rate = `${formatRate(status.storedPerSecond)} / s`;
  const connectors = status.connectors.map(
    ({ name, lag }) => `${pipeline.connector(name)}: ${pipeline.records(lag)}`,
  );
  const logEnd = status.logEnd ? formatTime(timestampMs(status.logEnd), "local") : "–";
  const through = status.completeThrough ? formatTime(timestampMs(status.completeThrough), "local") : "–";
  const lag = status.storeLag
    ? [`${pipeline.lag} ${formatDuration(durationMs(status.storeLag), { fine: true })}`]
    : [];
  return [
    { name: pipeline.devices, figure: rate, details: [overview.series(status.series)] },
    {
      name: pipeline.ingest,
      figure: rate,
      details: [
        pipeline.acknowledged,
        ...(status.refused === undefined ? [] : [pipeline.rejected(status.refused)]),
      ],
    },
    { name: pipeline.log, figure: logEnd, details: [pipeline.logEnd, ...connectors] },
    {
      name: pipeline.store,
      figure: formatCount(status.storedReadings),
      details: [pipeline.stored, ...lag],
    },
    ...status.levels.map(levelStage),
    { name: pipeline.query, figure: through, details: [overview.complete, pipeline.watching] },
  ];
}

/** Up to one segment of lag is normal, and not shown. */
function levelStage({ window, segment, frontier, lag, partials, keptSince }: LevelStatus): Stage {
  const { pipeline } = strings;
  const frontierMs = frontier && timestampMs(frontier);
  const isLate = lag && segment && durationMs(lag) > 2 * durationMs(segment);
  return {
    name: pipeline.level(window ? formatDuration(durationMs(window)) : "?"),
    figure: formatCount(partials),
    details: [
      pipeline.partials,
      `${pipeline.frontier} ${frontierMs ? formatMoment(frontierMs, "local") : "–"}`,
      ...(isLate && frontierMs ? [`${pipeline.lag} ${formatDuration(durationMs(lag), { fine: true })}`] : []),
      ...(keptSince ? [`${pipeline.keptSince} ${formatMoment(timestampMs(keptSince), "local")}`] : []),
    ],
  };
}
