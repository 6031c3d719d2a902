import { percentiles } from "../../chart/panels.ts";
import { percentileName } from "../../format/numbers.ts";
import type { Line } from "../../mesh/lines.ts";

/** Formats buckets as CSV (RFC 4180): times in UTC, every digit of the figures. Pure. */
export function csvOf(lines: readonly Line[]): string {
  const hasPercentiles = lines.some(({ points }) => points.some(({ quantiles }) => quantiles));
  const names = hasPercentiles ? percentiles.map(percentileName) : [];
  const rows = lines.flatMap(({ deviceId, sensor, unit, points }) =>
    points.map(({ startMs, endMs, count, average, minimum, maximum, quantiles = [] }) => [
      ...[deviceId, sensor, new Date(startMs).toISOString(), new Date(endMs).toISOString()],
      ...[count, average, minimum, maximum, unit],
      ...names.map((_, place) => quantiles[place] ?? ""),
    ]),
  );
  const fixed = ["device_id", "sensor", "start", "end", "count", "average", "minimum", "maximum", "unit"];
  const header = [...fixed, ...names];
  return [header, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
