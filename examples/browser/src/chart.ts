import { svgElement } from "./element.ts";
import { formatNumber, formatTick, formatTime, formatValue } from "./format.ts";
import { timeTicks, valueTicks } from "./scale.ts";
import type { Window } from "./watch-windows.ts";

/** The contents of a chart: the windows with readings, over the last `spanMs`. */
export type ChartContent = {
  readonly title: string;
  readonly unit: string;
  readonly spanMs: number;
  readonly windows: readonly Window[];
};

/** A chart in an element of the page. */
export type Chart = { show(content: ChartContent): void };

const heightPx = 272;
const margin = { top: 26, right: 12, bottom: 26, left: 60 } as const;

/**
 * Draws windows: a line of averages, a band from minimum to maximum, gaps where there are no readings. Passes the
 * window under the pointer, or chosen with the arrow keys, to `onChosen`; undefined is the newest.
 */
export function createChart(
  place: HTMLElement,
  { onChosen }: { readonly onChosen: (window: Window | undefined) => void },
): Chart {
  const image = svgElement("svg", { role: "img", tabindex: 0 });
  place.replaceChildren(image);
  let content: ChartContent | undefined;
  let chosenMs: number | undefined;

  function draw(): void {
    if (!content || image.clientWidth === 0) return;
    const width = image.clientWidth;
    const chosen = content.windows.find(({ startMs }) => startMs === chosenMs);
    image.setAttribute("viewBox", `0 0 ${width} ${heightPx}`);
    image.setAttribute("aria-label", summaryOf(content));
    image.replaceChildren(...drawn(content, width, chosen));
    onChosen(chosen);
  }
  function choose(window: Window | undefined): void {
    chosenMs = window?.startMs;
    draw();
  }
  image.addEventListener("pointermove", ({ offsetX }) => {
    const [first] = content?.windows ?? [];
    if (!content || !first) return;
    const { x } = scalesOf(content, image.clientWidth);
    const distance = (window: Window) => Math.abs(x(middleOf(window)) - offsetX);
    choose(content.windows.reduce((best, each) => (distance(each) < distance(best) ? each : best), first));
  });
  image.addEventListener("pointerleave", () => choose(undefined));
  image.addEventListener("blur", () => choose(undefined));
  image.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || !content) return;
    event.preventDefault();
    const { windows } = content;
    const at = windows.findIndex(({ startMs }) => startMs === chosenMs);
    choose(windows[at < 0 ? windows.length - 1 : Math.min(Math.max(at + step, 0), windows.length - 1)]);
  });
  new ResizeObserver(draw).observe(image);
  return {
    show(next) {
      content = next;
      draw();
    },
  };
}

function summaryOf({ title, unit, windows }: ChartContent): string {
  const newest = windows.at(-1);
  if (!newest) return `${title}: no readings`;
  const { average, minimum, maximum } = newest.row;
  return `${title}, ${windows.length} windows; the newest: average ${formatValue(average, unit)}, from ${formatNumber(minimum)} to ${formatNumber(maximum)}`;
}

function scalesOf({ windows, spanMs }: ChartContent, width: number) {
  const toMs = windows.at(-1)?.endMs ?? Date.now();
  const sinceMs = toMs - spanMs;
  const values = valueTicks(
    Math.min(...windows.map(({ row }) => row.minimum)),
    Math.max(...windows.map(({ row }) => row.maximum)),
    5,
  );
  const [low, high] = [values[0]!, values.at(-1)!];
  const inner = { width: width - margin.left - margin.right, height: heightPx - margin.top - margin.bottom };
  return {
    values,
    times: timeTicks(sinceMs, toMs, inner.width / 110),
    x: (ms: number) => margin.left + ((ms - sinceMs) / spanMs) * inner.width,
    y: (value: number) => margin.top + (1 - (value - low) / (high - low)) * inner.height,
  };
}

function drawn(content: ChartContent, width: number, chosen: Window | undefined): SVGElement[] {
  const { windows, unit } = content;
  if (windows.length === 0) {
    const attributes = { x: width / 2, y: heightPx / 2, "text-anchor": "middle" };
    return [svgElement("text", attributes, "no readings in this time; they appear as they come")];
  }
  const { x, y, values, times } = scalesOf(content, width);
  const right = width - margin.right;
  const bottom = heightPx - margin.bottom;
  const marked = chosen ?? windows.at(-1)!;
  const at = { x: x(middleOf(marked)), y: y(marked.row.average) };
  return [
    ...values.flatMap((value) => [
      svgElement("line", { class: "grid", x1: margin.left, x2: right, y1: y(value), y2: y(value) }),
      svgElement("text", { x: margin.left - 8, y: y(value) + 4, "text-anchor": "end" }, formatTick(value)),
    ]),
    svgElement("text", { x: margin.left - 8, y: 12, "text-anchor": "end" }, unit),
    ...times.ticks.map((ms) =>
      svgElement(
        "text",
        { x: x(ms), y: heightPx - 6, "text-anchor": x(ms) > right - 24 ? "end" : "middle" },
        formatTime(ms, times.stepMs),
      ),
    ),
    ...runsOf(windows).flatMap((run) => {
      const points = (value: (window: Window) => number) =>
        momentsOf(run).map(([ms, window]) => `${x(ms).toFixed(1)},${y(value(window)).toFixed(1)}`);
      const upper = points(({ row }) => row.maximum);
      const lower = points(({ row }) => row.minimum).reverse();
      return [
        svgElement("polygon", { class: "band", points: [...upper, ...lower].join(" ") }),
        svgElement("polyline", { class: "average", points: points(({ row }) => row.average).join(" ") }),
      ];
    }),
    ...(chosen
      ? [svgElement("line", { class: "cross", x1: at.x, x2: at.x, y1: margin.top, y2: bottom })]
      : []),
    svgElement("circle", { class: "dot", cx: at.x, cy: at.y, r: 5 }),
  ];
}

/** Splits the windows where some in between have no readings. */
function runsOf(windows: readonly Window[]): Window[][] {
  const runs: Window[][] = [];
  for (const window of windows) {
    const run = runs.at(-1);
    if (run?.at(-1)?.endMs === window.startMs) run.push(window);
    else runs.push([window]);
  }
  return runs;
}

/** Returns the positions of a run's windows: their middle; a single window is a dash of its own length. */
function momentsOf(run: readonly Window[]): [number, Window][] {
  const [first] = run;
  if (run.length > 1 || !first) return run.map((window) => [middleOf(window), window]);
  return [
    [first.startMs, first],
    [first.endMs, first],
  ];
}

function middleOf({ startMs, endMs }: Window): number {
  return (startMs + endMs) / 2;
}
