import { Temporal } from "temporal-polyfill";
import type { Span } from "../plan/spans.ts";
import { type BucketGrid, type BucketRun, mondayMs } from "./bucket-grid.ts";
import { offsetsIn, zoned } from "./zone-offsets.ts";

/** The calendar units of buckets. */
export const calendarUnits = ["hour", "day", "week", "month", "quarter", "year"] as const;

/** A calendar unit. */
export type CalendarUnit = (typeof calendarUnits)[number];

const [hourMs, dayMs, weekMs] = [3_600_000, 86_400_000, 7 * 86_400_000];

/** The units of fixed length in a zone without clock changes, and their origins. */
const clockUnits: Readonly<
  Partial<Record<CalendarUnit, { readonly sizeMs: number; readonly phaseMs: number }>>
> = {
  hour: { sizeMs: hourMs, phaseMs: 0 },
  day: { sizeMs: dayMs, phaseMs: 0 },
  week: { sizeMs: weekMs, phaseMs: mondayMs },
};

const monthsOf: Readonly<Partial<Record<CalendarUnit, number>>> = { month: 1, quarter: 3, year: 12 };

/** The longest bucket of each unit, including a change of the clock, in ms. */
const longestMs: Readonly<Record<CalendarUnit, number>> = {
  hour: 2 * dayMs,
  day: 3 * dayMs,
  week: 9 * dayMs,
  month: 33 * dayMs,
  quarter: 94 * dayMs,
  year: 368 * dayMs,
};

/** Estimates the number of buckets of a unit in a span; at least the maximum minus two. Pure. */
export function estimateBuckets(unit: CalendarUnit, { sinceMs, toMs }: Span): number {
  const sizeMs = clockUnits[unit]?.sizeMs ?? 30.5 * dayMs * (monthsOf[unit] as number);
  return Math.max(Math.floor((toMs - sinceMs) / sizeMs), 0);
}

/**
 * Returns the buckets of a calendar unit in a zone, by the ISO calendar: at least those that touch the span. The rules
 * of the zone are Temporal's. A bucket begins at the first time at which the local time is in a later unit than before;
 * an hour also begins where the clock shows a full hour again.
 */
export function calendarGrid(unit: CalendarUnit, zone: string, span: Span): BucketGrid {
  const sinceMs = span.sinceMs - longestMs[unit];
  const toMs = Math.max(span.toMs, span.sinceMs + 1) + longestMs[unit];
  const clock = clockUnits[unit];
  const starts = clock
    ? clockStarts({ ...clock, occursTwice: unit === "hour" }, zone, { sinceMs, toMs })
    : monthStarts(monthsOf[unit] as number, zone, { sinceMs, toMs });
  return runsBetween(starts);
}

/** Starts of buckets: `count` of them, each sizeMs after the previous one. */
type Starts = { readonly firstMs: number; readonly count: number; readonly sizeMs: number };

function clockStarts(
  {
    sizeMs,
    phaseMs,
    occursTwice,
  }: { readonly sizeMs: number; readonly phaseMs: number; readonly occursTwice: boolean },
  zone: string,
  span: Span,
): Starts[] {
  const starts: Starts[] = [];
  let shown: number | undefined;
  for (const { sinceMs, toMs, offsetMs } of offsetsIn(zone, span)) {
    const localMs = sinceMs + offsetMs - phaseMs;
    const unit = Math.floor(localMs / sizeMs);
    const isFull = localMs % sizeMs === 0;
    // The unit at the start of the span has begun earlier.
    const isNew = shown === undefined ? isFull : occursTwice ? unit !== shown || isFull : unit > shown;
    if (isNew) starts.push({ firstMs: sinceMs, count: 1, sizeMs });
    shown = shown === undefined || occursTwice ? unit : Math.max(unit, shown);
    const firstMs = (shown + 1) * sizeMs + phaseMs - offsetMs;
    const count = Math.max(Math.floor((toMs - 1 - firstMs) / sizeMs) + 1, 0);
    if (count > 0) starts.push({ firstMs, count, sizeMs });
    shown += count;
  }
  return starts;
}

function monthStarts(months: number, zone: string, { sinceMs, toMs }: Span): Starts[] {
  const { year, month } = zoned(sinceMs, zone);
  let date = new Temporal.PlainDate(year, month - ((month - 1) % months), 1);
  const starts: Starts[] = [];
  for (;;) {
    const firstMs = date.toZonedDateTime(zone).epochMilliseconds;
    if (firstMs >= toMs) return starts;
    starts.push({ firstMs, count: 1, sizeMs: 0 });
    date = date.add({ months });
  }
}

/** Groups the buckets between starts: consecutive ones of one size become one run. */
function runsBetween(starts: readonly Starts[]): BucketGrid {
  const runs: BucketRun[] = [];
  function add(run: BucketRun): void {
    const last = runs.at(-1);
    if (last?.sizeMs === run.sizeMs) runs[runs.length - 1] = { ...last, toMs: run.toMs };
    else runs.push(run);
  }
  for (const [place, { firstMs, count, sizeMs }] of starts.entries()) {
    const lastMs = firstMs + (count - 1) * sizeMs;
    if (count > 1) add({ sinceMs: firstMs, toMs: lastMs, sizeMs });
    const next = starts[place + 1];
    if (next) add({ sinceMs: lastMs, toMs: next.firstMs, sizeMs: next.firstMs - lastMs });
  }
  return runs;
}
