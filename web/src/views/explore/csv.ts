import type { Line } from "../../mesh/lines.ts";

/** Formats buckets as CSV (RFC 4180): times in UTC, every digit of the figures. Pure. */
export function csvOf(lines: readonly Line[]): string {
  const rows = lines.flatMap(({ deviceId, sensor, unit, points }) =>
    points.map(({ startMs, endMs, count, average, minimum, maximum }) => [
      ...[deviceId, sensor, new Date(startMs).toISOString(), new Date(endMs).toISOString()],
      ...[count, average, minimum, maximum, unit],
    ]),
  );
  const header = ["device_id", "sensor", "start", "end", "count", "average", "minimum", "maximum", "unit"];
  return [header, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
