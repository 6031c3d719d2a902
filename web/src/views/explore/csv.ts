import { percentiles } from "../../chart/panels.ts";
import { percentileName } from "../../format/numbers.ts";
import type { Line } from "../../mesh/lines.ts";

/** Formats buckets as CSV (RFC 4180): times in UTC, every digit of the figures. Pure. */
export function csvOf(lines: readonly Line[]): string {
  const hasPercentiles = lines.some(({ points }) => points.some(({ quantiles }) => quantiles));
  const names = hasPercentiles ? percentiles.map(percentileName) : [];
  const weighted = lines.some(({ points }) => points.some((point) => point.timeWeighted !== undefined))
    ? ["time_weighted_average"]
    : [];
  const rows = lines.flatMap(({ deviceId, sensor, unit, points }) =>
    points.map(({ startMs, endMs, count, average, minimum, maximum, quantiles = [], timeWeighted }) => [
      ...[deviceId, sensor, new Date(startMs).toISOString(), new Date(endMs).toISOString()],
      ...[count, average, minimum, maximum, unit],
      ...names.map((_, place) => quantiles[place] ?? ""),
      ...weighted.map(() => timeWeighted ?? ""),
    ]),
  );
  const fixed = ["device_id", "sensor", "start", "end", "count", "average", "minimum", "maximum", "unit"];
  const header = [...fixed, ...names, ...weighted];
  return [header, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
