import { useMemo, useState } from "preact/hooks";
import type { ChartSpan } from "../../chart/options.ts";
import { panelsOf } from "../../chart/panels.ts";
import type { Zone } from "../../format/times.ts";
import { formatDuration } from "../../format/times.ts";
import type { Line } from "../../mesh/lines.ts";
import { select } from "../../state/route.ts";
import type { Curves } from "../../state/selection.ts";
import type { Bounds } from "../../state/timeframe.ts";
import { movedSpan, presets } from "../../state/timeframe.ts";
import { strings } from "../../strings.ts";
import { pageScale } from "../../ui/page-scale.ts";
import { ChartPanel } from "./chart-panel.tsx";

/** How many zooms can be undone: as many as were made in this page. */
const zooms: string[] = [];

const keys: Readonly<Record<string, Parameters<typeof movedSpan>[1]>> = {
  "+": { scale: 0.5 },
  "=": { scale: 0.5 },
  "-": { scale: 2 },
  PageUp: { shift: -0.5 },
  PageDown: { shift: 0.5 },
};

/** A panel for each unit, with one crosshair, and buttons and keys that move the timeframe. */
export function ExploreCharts({
  lines,
  bucketMs,
  curves,
  bounds,
  zone,
}: {
  readonly lines: readonly Line[];
  readonly bucketMs: number;
  readonly curves: Curves;
  readonly bounds: Bounds;
  readonly zone: Zone;
}) {
  const panels = useMemo(() => panelsOf(lines, bucketMs, curves), [lines, bucketMs, curves]);
  const [cursor, setCursor] = useState<number | undefined>(undefined);
  const span = spanOf(bounds, lines);
  const { chart } = strings;
  if (lines.length === 0)
    return (
      <div class="card empty">
        <p>{chart.noReadings}</p>
        <p class="quiet">{chart.noReadingsHint}</p>
      </div>
    );
  const zoom = ({ sinceMs, toMs }: ChartSpan): void => {
    zooms.push(location.hash);
    select({ timeframe: { kind: "between", sinceMs, toMs } });
  };
  const move = (change: Parameters<typeof movedSpan>[1]): void => {
    if (!span) return;
    const moved = movedSpan(span, change);
    if (moved.kind === "between") zoom(moved);
  };
  return (
    <div
      class="charts"
      onKeyDown={(event) => {
        const change = keys[event.key];
        if (!change || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        move(change);
      }}
    >
      <div class="chart-tools">
        <p class="quiet">
          {chart.bucketOf(formatDuration(bucketMs))}. {chart.legends[curves]} {chart.zoomHint}
        </p>
        <div class="choice">
          <button type="button" onClick={() => move({ shift: -0.5 })}>
            {chart.earlier}
          </button>
          <button type="button" onClick={() => move({ shift: 0.5 })}>
            {chart.later}
          </button>
          <button type="button" onClick={() => move({ scale: 0.5 })}>
            {chart.zoomIn}
          </button>
          <button type="button" onClick={() => move({ scale: 2 })}>
            {chart.zoomOut}
          </button>
          <button type="button" onClick={back}>
            {chart.back}
          </button>
        </div>
      </div>
      <div class={panels.length > 1 ? "charts panels" : "charts"}>
        {panels.map((panel) => (
          <ChartPanel
            key={panel.unit}
            panel={panel}
            zone={zone}
            span={span}
            height={heightOf(panels.length)}
            cursorMs={cursor}
            onCursor={setCursor}
            onZoom={zoom}
            onBack={back}
          />
        ))}
      </div>
    </div>
  );
}

/** Two rows of panels, or one large one, on the screen. */
function heightOf(panels: number): number {
  const least = panels === 1 ? 340 : 240;
  return Math.round(Math.max(least * pageScale(), innerHeight * (panels === 1 ? 0.42 : 0.27)));
}

/** Undoes the last zoom; without one, shows the last day. */
function back(): void {
  const before = zooms.pop();
  if (before === undefined) select({ timeframe: { kind: "last", spanMs: presets["24h"] } });
  else {
    history.pushState(null, "", before);
    dispatchEvent(new HashChangeEvent("hashchange"));
  }
}

/** The span that the charts show: the timeframe, or that of the readings where it has no bounds. */
function spanOf({ sinceMs, toMs }: Bounds, lines: readonly Line[]): ChartSpan | undefined {
  if (sinceMs !== undefined && toMs !== undefined) return { sinceMs, toMs };
  const starts = lines.map(({ points }) => points[0]?.startMs ?? Number.POSITIVE_INFINITY);
  const ends = lines.map(({ points }) => points.at(-1)?.endMs ?? Number.NEGATIVE_INFINITY);
  const [first, last] = [Math.min(...starts), Math.max(...ends)];
  return first < last ? { sinceMs: first, toMs: last } : undefined;
}
