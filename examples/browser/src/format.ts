import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import type { Coverage } from "../gen/devicemesh/v1/aggregate_pb.ts";

const counts = new Intl.NumberFormat("en");
const values = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const short = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });
const clock = new Intl.DateTimeFormat("en", { timeStyle: "medium", hourCycle: "h23" });
const minutes = new Intl.DateTimeFormat("en", { timeStyle: "short", hourCycle: "h23" });
const days = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat("en", {
  ...{ month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" },
  hourCycle: "h23",
});

/** Formats a count with its noun. */
export function formatCount(count: number | bigint): string {
  return counts.format(count);
}

/** Formats a value of an axis with no more decimals than it has. */
export function formatTick(value: number): string {
  return short.format(value);
}

/** Formats a value with two decimals. */
export function formatNumber(value: number): string {
  return values.format(value);
}

/** Formats a value with its unit. */
export function formatValue(value: number, unit: string): string {
  return `${formatNumber(value)} ${unit}`;
}

/** Formats a local time with the precision that steps of `stepMs` need. */
export function formatTime(ms: number, stepMs: number): string {
  if (stepMs < 60_000) return clock.format(ms);
  return (stepMs < 86_400_000 ? minutes : days).format(ms);
}

/** Formats a time, with its date unless that is today. */
export function formatMoment(timestamp: Timestamp | undefined): string {
  if (!timestamp) return "–";
  const date = timestampDate(timestamp);
  return (date.toDateString() === new Date().toDateString() ? clock : full).format(date);
}

/** Describes the coverage of an answer. */
export function formatCoverage(coverage: Coverage | undefined): string {
  if (!coverage) return "";
  const { completeThrough, fromWindows, fromRaw, notCovered } = coverage;
  const missing = notCovered.map(
    ({ since, to }) =>
      `${since ? formatMoment(since) : "the beginning"} to ${to ? formatMoment(to) : "the end"}`,
  );
  return [
    `Complete through ${formatMoment(completeThrough)}`,
    `${formatCount(fromWindows)} readings from windows, ${formatCount(fromRaw)} raw`,
    missing.length === 0 ? "nothing is left out" : `expired and left out: ${missing.join(", ")}`,
  ].join(" · ");
}
