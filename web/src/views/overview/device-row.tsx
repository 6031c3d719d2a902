import { decodeDeviceId } from "@devicemesh/proto/device-ids";
import { Sparkline } from "../../chart/sparkline.tsx";
import { formatCount, formatValue } from "../../format/numbers.ts";
import { formatDuration, formatMoment } from "../../format/times.ts";
import type { KnownSeries } from "../../mesh/series/known-series.ts";
import { selectionHref } from "../../state/route.ts";
import { strings } from "../../strings.ts";
import { type DeviceState, stateOf } from "./device-state.ts";

/** One series in the list of devices. */
export function DeviceRow({
  index,
  series,
  trend,
  nowMs,
}: {
  readonly index: number;
  readonly series: KnownSeries;
  readonly trend: readonly (number | undefined)[] | undefined;
  readonly nowMs: number;
}) {
  const state = stateOf(series, nowMs);
  const { deviceId, sensor, unit, count, latestMs, latestValue } = series;
  return (
    <div role="row" aria-rowindex={index + 2} class="row" data-state={state.kind}>
      <span role="cell" class="cell-state">
        <span class="lamp" aria-hidden="true" />
        {stateText(state)}
      </span>
      <span role="cell" class="cell-device">
        <a href={selectionHref("explore", { devices: [deviceId], sensors: [sensor] })} title={deviceId}>
          {decodeDeviceId(deviceId)}
        </a>
      </span>
      <span role="cell" class="cell-sensor">
        {sensor.replaceAll("_", " ")}
      </span>
      <span role="cell" class="cell-latest">
        {formatValue(latestValue)} <span class="unit">{unit}</span>
      </span>
      <span role="cell" class="cell-age" title={formatMoment(latestMs, "local", true)}>
        {latestMs === undefined ? "–" : state.kind === "ahead" ? "–" : formatDuration(state.ageMs)}
      </span>
      <span role="cell" class="cell-trend">
        {trend && <Sparkline values={trend} />}
      </span>
      <span role="cell" class="cell-count">
        {formatCount(count)}
      </span>
    </div>
  );
}

function stateText(state: DeviceState): string {
  const { overview } = strings;
  if (state.kind === "ahead") return overview.ahead1(state.byMs);
  return state.kind === "silent" ? overview.silent1 : overview.online1;
}
