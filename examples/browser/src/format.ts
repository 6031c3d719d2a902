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

/** How many there are of something. */
export function formatCount(count: number | bigint): string {
  return counts.format(count);
}

/** A value of an axis: no more decimals than it has. */
export function formatTick(value: number): string {
  return short.format(value);
}

/** A value, to two decimals. */
export function formatNumber(value: number): string {
  return values.format(value);
}

/** A value with its unit. */
export function formatValue(value: number, unit: string): string {
  return `${formatNumber(value)} ${unit}`;
}

/** A moment by the clock on the wall, as fine as steps of `stepMs` need. */
export function formatTime(ms: number, stepMs: number): string {
  if (stepMs < 60_000) return clock.format(ms);
  return (stepMs < 86_400_000 ? minutes : days).format(ms);
}

/** A moment, with its day unless that is today. */
export function formatMoment(timestamp: Timestamp | undefined): string {
  if (!timestamp) return "–";
  const date = timestampDate(timestamp);
  return (date.toDateString() === new Date().toDateString() ? clock : full).format(date);
}

/** What an answer covers, in words. */
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
