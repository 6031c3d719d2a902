import type { AggregateRow } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { formatTime, type Zone } from "../../format/times.ts";
import type { LateChange } from "../../mesh/watch.ts";
import { strings } from "../../strings.ts";
import { nameOf } from "../explore/question.ts";

const shownMax = 8;

/** The old buckets that late readings have changed, the newest change first, and readings ahead of the server. */
export function LateReadings({
  late,
  ahead,
  zone,
}: {
  readonly late: readonly LateChange[];
  readonly ahead: readonly AggregateRow[];
  readonly zone: Zone;
}) {
  const { live, chart } = strings;
  return (
    <section class="card" aria-labelledby="late">
      <h2 id="late">{live.late}</h2>
      {late.length === 0 && <p class="quiet">{live.lateNone}</p>}
      <ul class="plain" aria-live="polite">
        {late.slice(0, shownMax).map((change) => (
          <li key={`${change.key}|${change.startMs}|${change.after}`} class="late">
            {live.lateChange(
              nameOf(change, chart.allDevices),
              formatTime(change.startMs, zone),
              change.before,
              change.after,
            )}
          </li>
        ))}
        {ahead.slice(0, shownMax).map((row) => (
          <li key={`${row.deviceId}|${row.sensor}`}>
            {live.ahead(nameOf(row, chart.allDevices), row.count)}
          </li>
        ))}
      </ul>
    </section>
  );
}
