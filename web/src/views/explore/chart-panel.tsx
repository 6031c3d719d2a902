import { Chart } from "../../chart/chart.tsx";
import type { ChartSpan } from "../../chart/options.ts";
import { lineColour } from "../../chart/palette.ts";
import { type Panel, percentiles, valuesOf } from "../../chart/panels.ts";
import { formatCount, formatValue, percentileName } from "../../format/numbers.ts";
import { formatMoment, type Zone } from "../../format/times.ts";
import type { Line, Point } from "../../mesh/lines.ts";
import type { LateChange } from "../../mesh/watch.ts";
import type { Curves } from "../../state/selection.ts";
import { isDark } from "../../state/theme.ts";
import { strings } from "../../strings.ts";
import { nameOf } from "./question.ts";

/** How long a changed bucket is marked. */
const markedMs = 6000;

/** The chart of a unit with its legend, which has the values at the crosshair (the newest without one). */
export function ChartPanel({
  panel,
  zone,
  span,
  height,
  cursorMs,
  late = [],
  onCursor,
  onZoom,
  onBack,
}: {
  readonly panel: Panel;
  readonly zone: Zone;
  readonly span: ChartSpan | undefined;
  readonly height: number;
  /** Where the crosshair is, in ms since 1970; undefined if it is on no chart. */
  readonly cursorMs: number | undefined;
  /** Buckets that late readings have changed: they are marked for some seconds. */
  readonly late?: readonly LateChange[];
  readonly onCursor: (atMs: number | undefined) => void;
  readonly onZoom: (span: ChartSpan) => void;
  readonly onBack?: () => void;
}) {
  const { chart } = strings;
  const marks = late
    .filter(
      ({ key, seenMs }) => Date.now() - seenMs < markedMs && panel.lines.some(({ line }) => line.key === key),
    )
    .map(({ startMs, endMs }) => ({ sinceMs: startMs, toMs: endMs }));
  const step = (by: number): void => {
    const times = panel.times.map((seconds) => seconds * 1000);
    const place = cursorMs === undefined ? times.length : times.findIndex((ms) => ms >= cursorMs);
    onCursor(times[Math.max(0, Math.min(times.length - 1, place + by))]);
  };
  return (
    <figure class="card panel">
      <h3 class="panel-title">
        {titleOf(panel)} <span class="unit">{panel.unit}</span>
      </h3>
      <div
        tabIndex={0}
        role="group"
        aria-label={`${chart.label(panel.unit, panel.lines.length)}. ${chart.keyboard}`}
        onKeyDown={(event) => {
          if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
          event.preventDefault();
          step(event.key === "ArrowLeft" ? -1 : 1);
        }}
      >
        <Chart
          panel={panel}
          zone={zone}
          span={span}
          height={height}
          syncKey="explore"
          marks={marks}
          onZoom={onZoom}
          {...(onBack && { onBack })}
          onCursor={(index) => onCursor(index === undefined ? undefined : (panel.times[index] ?? 0) * 1000)}
        />
      </div>
      <figcaption tabIndex={0}>
        <table class="legend">
          <thead>
            <tr>
              <th scope="col">{cursorMs === undefined ? chart.newest : formatMoment(cursorMs, zone)}</th>
              {curveNames(panel.curves).map((name) => (
                <th key={name} scope="col" class="number">
                  {name}
                </th>
              ))}
              <th scope="col" class="number">
                {chart.readings}
              </th>
            </tr>
          </thead>
          <tbody aria-live="off">
            {panel.lines.map(({ line, colour }) => (
              <LegendRow
                key={line.key}
                line={line}
                colour={colour}
                curves={panel.curves}
                point={pointAt(line, cursorMs)}
              />
            ))}
          </tbody>
        </table>
      </figcaption>
    </figure>
  );
}

/** The names of the curves, in their order. */
function curveNames(curves: Curves): readonly string[] {
  const { chart } = strings;
  if (curves === "percentiles") return percentiles.map(percentileName);
  return [curves === "weighted" ? chart.weighted : chart.average, chart.minimum, chart.maximum];
}

/** The sensors of a panel. */
function titleOf({ lines }: Panel): string {
  return [...new Set(lines.map(({ line }) => line.sensor.replaceAll("_", " ")))].join(", ");
}

function LegendRow({
  line,
  colour,
  curves,
  point,
}: {
  readonly line: Line;
  readonly colour: number;
  readonly curves: Curves;
  readonly point: Point | undefined;
}) {
  return (
    <tr>
      <th scope="row">
        <span class="swatch" style={{ background: lineColour(colour, isDark.value) }} aria-hidden="true" />
        {nameOf(line, strings.chart.allDevices)}
      </th>
      {valuesOf(point, curves).map((value, place) => (
        <td key={place} class="number">
          {formatValue(value)} {place === 0 && <span class="unit">{line.unit}</span>}
        </td>
      ))}
      <td class="number">{point ? formatCount(point.count) : "–"}</td>
    </tr>
  );
}

/** The bucket that starts at the crosshair; the newest if there is no crosshair. */
function pointAt({ points }: Line, cursorMs: number | undefined): Point | undefined {
  return cursorMs === undefined ? points.at(-1) : points.find(({ startMs }) => startMs === cursorMs);
}
