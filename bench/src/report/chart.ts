import type { Spread } from "./statistics.ts";
import { escaped, px } from "./svg.ts";

/** Horizontal bars on a logarithmic scale, each with a line from minimum to maximum. */
export type BarChart = {
  readonly title: string;
  /** The measurement and its date, in a line below the title. */
  readonly subtitle: string;
  /** The quantity of the scale, with its unit. */
  readonly axis: string;
  /** At least one; every figure above 0. */
  readonly bars: readonly {
    readonly label: string;
    readonly spread: Spread;
    /** The text beside the bar. */
    readonly text: string;
    /** Drawn in the highlight colour. */
    readonly ours: boolean;
  }[];
};

const width = 860;
/** Width reserved for the figures beside the longest bar. */
const right = 220;
/** Width of a character of a label, with a margin: the reader's font is unknown. */
const characterWidth = 7.6;
const top = 84;
const rowHeight = 46;
const barHeight = 24;

/** Returns the chart as a self-contained SVG: the reader's fonts, its own background. */
export function barChartSvg({ title, subtitle, axis, bars }: BarChart): string {
  const [low, high] = scaleOf(bars.map((bar) => bar.spread));
  const left = Math.round(36 + characterWidth * Math.max(...bars.map((bar) => bar.label.length)));
  const x = (value: number) => left + ((Math.log10(value) - low) / (high - low)) * (width - left - right);
  const bottom = top + bars.length * rowHeight;
  const ticks = Array.from({ length: Math.floor(high) - low + 1 }, (_, index) => 10 ** (low + index));
  const parts = [
    ...ticks.map(
      (tick) =>
        `<line x1="${px(x(tick))}" y1="${top - 8}" x2="${px(x(tick))}" y2="${bottom}" stroke="#d8dee4"/>` +
        `<text x="${px(x(tick))}" y="${bottom + 18}" font-size="13" fill="#57606a" text-anchor="middle">${tickText(tick)}</text>`,
    ),
    ...bars.map((bar, index) => barSvg(bar, { left, y: top + index * rowHeight, x })),
    `<text x="${px((left + width - right) / 2)}" y="${bottom + 42}" font-size="13" fill="#57606a" text-anchor="middle">${escaped(axis)}</text>`,
  ];
  const height = bottom + 58;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="24" y="34" font-size="19" font-weight="600" fill="#1f2328">${escaped(title)}</text>`,
    `<text x="24" y="57" font-size="13" fill="#57606a">${escaped(subtitle)}</text>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function barSvg(
  { label, spread, text, ours }: BarChart["bars"][number],
  { left, y, x }: { left: number; y: number; x: (value: number) => number },
): string {
  const middle = y + rowHeight / 2 - 4;
  const [from, to] = [px(x(spread.minimum)), px(x(spread.maximum))];
  return [
    `<text x="${left - 12}" y="${middle + 5}" font-size="14" fill="#1f2328" text-anchor="end">${escaped(label)}</text>`,
    `<rect x="${left}" y="${middle - barHeight / 2}" width="${px(Math.max(1, x(spread.median) - left))}" height="${barHeight}" rx="2" fill="${ours ? "#0969da" : "#afb8c1"}"/>`,
    `<path d="M${from} ${middle}H${to}M${from} ${middle - 5}v10M${to} ${middle - 5}v10" stroke="#1f2328" stroke-width="1.5" fill="none"/>`,
    `<text x="${px(x(spread.maximum) + 10)}" y="${middle + 5}" font-size="14" font-weight="600" fill="#1f2328">${escaped(text)}</text>`,
  ].join("");
}

/**
 * Returns the start and end of the scale, as exponents of ten: from a power of ten below all figures, so that each has
 * a bar, to the largest, but at least a decade further.
 */
function scaleOf(spreads: readonly Spread[]): [number, number] {
  const least = Math.min(...spreads.map((spread) => spread.minimum));
  const greatest = Math.max(...spreads.map((spread) => spread.maximum));
  if (!(least > 0) || !Number.isFinite(greatest)) {
    throw new RangeError("a logarithmic scale needs finite figures above 0");
  }
  const low = Math.ceil(Math.log10(least)) - 1;
  return [low, Math.max(low + 1, Math.log10(greatest))];
}

function tickText(value: number): string {
  return value >= 1 ? value.toLocaleString("en-US") : value.toFixed(Math.round(-Math.log10(value)));
}
