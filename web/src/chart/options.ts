import uPlot from "uplot";
import { ianaZone, type Zone } from "../format/times.ts";
import type { Curves } from "../state/selection.ts";
import { chartColours, lineColour } from "./palette.ts";
import { columnsPerLine, type Panel } from "./panels.ts";
import { tickTexts } from "./ticks.ts";

/** A span of a chart in ms since 1970. */
export type ChartSpan = { readonly sinceMs: number; readonly toMs: number };

/** The input of a chart. */
export type ChartStyle = {
  readonly width: number;
  readonly height: number;
  readonly isDark: boolean;
  /** How much larger than usual its text is. */
  readonly scale: number;
  /** A small chart has short axes. */
  readonly isSmall: boolean;
  readonly zone: Zone;
  /** The whole timeframe is shown, also where it has no readings; undefined fits the readings. */
  readonly span: ChartSpan | undefined;
  /** Spans to highlight, such as buckets that have just changed, in ms since 1970. */
  readonly marks?: readonly ChartSpan[];
  /** Crosshairs of charts with the same name move together. */
  readonly syncKey?: string;
};

/** The events of a chart. */
export type ChartEvents = {
  /** The user has dragged over a span. */
  onZoom?(span: ChartSpan): void;
  /** The user has double-clicked. */
  onBack?(): void;
  /** The crosshair is at this index, or nowhere. */
  onCursor?(index: number | undefined): void;
};

const fontPx = 11;
const fontNames = 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif';
const bandAlpha = "26";
/** Lines and areas above the median, for each percentile. */
const percentileAlphas = ["b0", "80", "60"] as const;
const percentileBands = ["33", "22", "14"] as const;
/** Shorter drags are clicks. */
const leastDragPx = 6;

/** Returns the data of a panel in uPlot's format: times, then the columns of each line. */
export function chartData(panel: Panel): uPlot.AlignedData {
  const columns = panel.lines.flatMap((line) => line.columns);
  return [panel.times as number[], ...columns] as uPlot.AlignedData;
}

/** Returns the options of a chart for a panel. */
export function chartOptions(panel: Panel, style: ChartStyle, events: ChartEvents): uPlot.Options {
  const { ink, grid } = chartColours(style.isDark);
  const { scale, isSmall } = style;
  const font = `${fontPx * scale}px ${fontNames}`;
  const axis = { stroke: ink, font, lineGap: 1.5, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
  const zone = ianaZone(style.zone);
  const columns = columnsPerLine(panel.curves);
  return {
    width: style.width,
    height: style.height,
    ...(zone && { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), zone) }),
    padding: [10 * scale, (isSmall ? 18 : 14) * scale, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: true, range: (_, minimum, maximum) => rangeOf(style.span, minimum, maximum) },
      y: { range: (_, minimum, maximum) => valueRange(minimum, maximum) },
    },
    axes: [
      {
        ...axis,
        space: (isSmall ? 44 : 70) * scale,
        size: (isSmall ? 24 : 42) * scale,
        values: (chart, ticks) => timeLabels(ticks, { zone, isSmall, fromSeconds: chart.scales.x?.min ?? 0 }),
      },
      {
        ...axis,
        space: (isSmall ? 16 : 30) * scale,
        size: (isSmall ? 46 : 56) * scale,
        values: (_, ticks) => tickTexts(ticks),
      },
    ],
    series: [
      {},
      ...panel.lines.flatMap((line) => seriesOf(lineColour(line.colour, style.isDark), panel.curves)),
    ],
    bands: panel.lines.flatMap((line, index) =>
      bandsOf(1 + columns * index, lineColour(line.colour, style.isDark), panel.curves),
    ),
    cursor: {
      ...(style.syncKey && { sync: { key: style.syncKey, setSeries: false } }),
      y: false,
      points: {
        size: 7,
        show: (chart, place) => (place % columns === 1 ? dot(chart) : false) as unknown as HTMLElement,
      },
      drag: { x: true, y: false, setScale: false, dist: leastDragPx },
      bind: {
        dblclick: () => () => {
          events.onBack?.();
          return null;
        },
      },
    },
    hooks: {
      setSelect: [(chart) => zoomed(chart, events)],
      drawClear: [(chart) => drawMarks(chart, style)],
      setCursor: [({ cursor }) => events.onCursor?.(cursor.idx ?? undefined)],
    },
  };
}

/** The crosshair's point of an average; minimum and maximum have none. */
function dot(chart: uPlot): HTMLElement {
  const point = document.createElement("div");
  point.className = "u-cursor-pt";
  chart.over.append(point);
  return point;
}

/** The average or median as a line with points where it is alone; of the others, edges of areas, or thinner lines. */
function seriesOf(colour: string, curves: Curves): uPlot.Series[] {
  const main = { stroke: colour, width: 1.75, points: { size: 5, fill: colour } };
  const edge = { stroke: "transparent", width: 0, points: { show: false } } as const;
  if (curves !== "percentiles") return [main, edge, edge];
  const thin = (alpha: string) => ({ stroke: `${colour}${alpha}`, width: 1, points: { show: false } });
  return [main, ...percentileAlphas.map(thin)];
}

/** From the minimum to the maximum, or from each percentile to the next one, ever lighter. */
function bandsOf(first: number, colour: string, curves: Curves): uPlot.Band[] {
  if (curves !== "percentiles") return [{ series: [first + 2, first + 1], fill: `${colour}${bandAlpha}` }];
  return percentileBands.map((alpha, place) => ({
    series: [first + place + 1, first + place],
    fill: `${colour}${alpha}`,
  }));
}

function zoomed(chart: uPlot, events: ChartEvents): void {
  const { left, width } = chart.select;
  if (width < leastDragPx) return;
  const sinceMs = Math.round(chart.posToVal(left, "x") * 1000);
  const toMs = Math.round(chart.posToVal(left + width, "x") * 1000);
  chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  if (sinceMs < toMs) events.onZoom?.({ sinceMs, toMs });
}

function drawMarks(chart: uPlot, { marks = [], isDark }: ChartStyle): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.fillStyle = isDark ? "#ffbe5540" : "#9a5b0030";
  for (const { sinceMs, toMs } of marks) {
    const left = Math.max(chart.valToPos(sinceMs / 1000, "x", true), bbox.left);
    const right = Math.min(chart.valToPos(toMs / 1000, "x", true), bbox.left + bbox.width);
    if (left < right) ctx.fillRect(left, bbox.top, Math.max(right - left, 2), bbox.height);
  }
  ctx.restore();
}

function rangeOf(span: ChartSpan | undefined, minimum: number, maximum: number): [number, number] {
  if (span) return [span.sinceMs / 1000, span.toMs / 1000];
  return minimum === maximum ? [minimum - 30, maximum + 30] : [minimum, maximum];
}

/** Leaves a margin above and below; a constant line is in the middle. */
function valueRange(minimum: number | null, maximum: number | null): [number, number] {
  if (minimum === null || maximum === null) return [0, 1];
  const margin = maximum === minimum ? Math.max(Math.abs(maximum) * 0.01, 0.5) : (maximum - minimum) * 0.08;
  return [minimum - margin, maximum + margin];
}

/** 24-hour labels: the date where it changes, seconds only for steps that small. */
function timeLabels(
  ticks: readonly number[],
  {
    zone,
    isSmall,
    fromSeconds,
  }: { readonly zone: string | undefined; readonly isSmall: boolean; readonly fromSeconds: number },
): string[] {
  const stepSeconds = (ticks[1] ?? 0) - (ticks[0] ?? 0);
  let before = "";
  return ticks.map((tick) => {
    const date = zone ? uPlot.tzDate(new Date(tick * 1000), zone) : new Date(tick * 1000);
    const [top, bottom] = labelOf(date, stepSeconds);
    const isSame = bottom === before;
    // A tick before the chart has no label, so the next one has the date.
    if (tick >= fromSeconds) before = bottom;
    return isSame || isSmall ? top : `${top}\n${bottom}`;
  });
}

function labelOf(date: Date, stepSeconds: number): readonly [string, string] {
  const two = (value: number) => String(value).padStart(2, "0");
  const month = months[date.getMonth()] ?? "";
  const year = `${date.getFullYear()}`;
  if (stepSeconds >= 28 * daySeconds) return [month, year];
  if (stepSeconds >= daySeconds) return [`${date.getDate()} ${month}`, year];
  const seconds = stepSeconds % 60 === 0 ? "" : `:${two(date.getSeconds())}`;
  return [`${two(date.getHours())}:${two(date.getMinutes())}${seconds}`, `${date.getDate()} ${month}`];
}

const daySeconds = 86_400;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
