import type { PipelineStatus } from "@devicemesh/proto/es/devicemesh/v1/pipeline_status_pb.ts";
import type { SeriesCounts } from "../../mesh/series/series-counts.ts";
import { strings } from "../../strings.ts";

/** What needs attention, in words; nothing if there is nothing. */
export function Alarms({
  status,
  counts,
}: {
  readonly status: PipelineStatus;
  readonly counts: SeriesCounts | undefined;
}) {
  const texts = alarmsOf(status, counts);
  if (texts.length === 0) return null;
  return (
    <section class="card alarms" aria-labelledby="alarms">
      <h2 id="alarms">{strings.overview.alarms}</h2>
      <ul>
        {texts.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </section>
  );
}

/** The alarms of a status. Pure. */
export function alarmsOf(
  { problems, conflicts, refused = 0n }: Pick<PipelineStatus, "problems" | "conflicts" | "refused">,
  counts: SeriesCounts | undefined,
): string[] {
  const { overview } = strings;
  return [
    ...problems,
    ...(counts && counts.silent > 0 ? [overview.silentAlarm(counts.silent, counts.silentExample)] : []),
    ...(counts && counts.ahead > 0 ? [overview.aheadAlarm(counts.ahead, counts.aheadExample)] : []),
    ...(conflicts > 0n ? [overview.conflictsAlarm(conflicts)] : []),
    ...(refused > 0n ? [overview.refusedAlarm(refused)] : []),
  ];
}
