import type { Line, Point } from "../mesh/lines.ts";
import type { Curves } from "../state/selection.ts";

/** A column of a chart: null breaks the line, undefined does not. */
export type Column = (number | null | undefined)[];

/** A line in a panel: its columns, with the panel's times. */
export type PanelLine = {
  readonly line: Line;
  /** Its index in the palette, the same in each panel and view. */
  readonly colour: number;
  /** The average or time-weighted average, minimum and maximum, or the percentiles, the median first. */
  readonly columns: readonly Column[];
};

/** Lines with one unit share a panel. */
export type Panel = {
  readonly unit: string;
  readonly curves: Curves;
  /** The starts of the buckets in seconds since 1970, ascending. */
  readonly times: readonly number[];
  readonly lines: readonly PanelLine[];
};

/** A span without readings that is this many times the usual distance between buckets is shown as a gap. */
const gapFactor = 3;

/** The percentiles that a chart draws, as quantiles. */
export const percentiles = [0.5, 0.9, 0.95, 0.99] as const;

/** Returns the number of columns of a line. */
export function columnsPerLine(curves: Curves): number {
  return curves === "percentiles" ? percentiles.length : 3;
}

/** Returns the values of a point, one for each column of its line; undefined where one is not known. */
export function valuesOf(point: Point | undefined, curves: Curves): readonly (number | undefined)[] {
  if (curves === "percentiles") return percentiles.map((_, place) => point?.quantiles?.[place]);
  const main = curves === "weighted" ? point?.timeWeighted : point?.average;
  return [main, point?.minimum, point?.maximum];
}

/** Creates a panel for each unit, in the order in which units first occur. Pure. */
export function panelsOf(lines: readonly Line[], bucketMs: number, curves: Curves = "range"): Panel[] {
  const units = [...new Set(lines.map(({ unit }) => unit))];
  return units.map((unit) => {
    const members = lines.map((line, colour) => ({ line, colour })).filter(({ line }) => line.unit === unit);
    const gaps = new Map(members.map(({ line }) => [line.key, gapsOf(line.points, bucketMs)]));
    const starts = new Set<number>();
    for (const { line } of members) {
      for (const { startMs } of line.points) starts.add(startMs);
      for (const atMs of gaps.get(line.key) ?? []) starts.add(atMs);
    }
    const timesMs = [...starts].sort((one, other) => one - other);
    const places = new Map(timesMs.map((ms, place) => [ms, place]));
    return {
      unit,
      curves,
      times: timesMs.map((ms) => ms / 1000),
      lines: members.map((member) => ({
        ...member,
        columns: columnsOf(member.line.points, gaps.get(member.line.key) ?? [], { places, curves }),
      })),
    };
  });
}

/** Returns where a line breaks: the first empty bucket of each gap. */
function gapsOf(points: readonly Point[], bucketMs: number): number[] {
  const distances = points
    .slice(1)
    .map(({ startMs }, index) => startMs - (points[index]?.startMs ?? startMs));
  const usual = Math.max(bucketMs, median(distances));
  return distances.flatMap((distance, index) =>
    distance > gapFactor * usual ? [(points[index]?.startMs ?? 0) + usual] : [],
  );
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;
}

function columnsOf(
  points: readonly Point[],
  gaps: readonly number[],
  { places, curves }: { readonly places: ReadonlyMap<number, number>; readonly curves: Curves },
): Column[] {
  const columns = Array.from(
    { length: columnsPerLine(curves) },
    (): Column => new Array<number | null | undefined>(places.size).fill(undefined),
  );
  for (const point of points) {
    const place = places.get(point.startMs) ?? 0;
    const values = valuesOf(point, curves);
    for (const [curve, column] of columns.entries()) column[place] = values[curve] ?? null;
  }
  for (const gap of gaps) {
    const place = places.get(gap) ?? 0;
    for (const column of columns) column[place] ??= null;
  }
  return columns;
}
