import { formatDuration } from "../format/times.ts";
import { strings } from "../strings.ts";

/** Units of the calendar of the selected time zone, with about how long they are in ms. */
export const calendarUnits = {
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 31 * 86_400_000,
  quarter: 92 * 86_400_000,
  year: 366 * 86_400_000,
} as const;

/** One of them. */
export type CalendarUnit = keyof typeof calendarUnits;

/** The size of a bucket: seconds, a unit of the calendar, or undefined for the server to choose. */
export type BucketSize = number | CalendarUnit | undefined;

/** Reads a size from a URL; undefined if it is none. */
export function parseBucket(text: string | null): BucketSize {
  if (text !== null && Object.hasOwn(calendarUnits, text)) return text as CalendarUnit;
  const seconds = Number(text);
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : undefined;
}

/** A size for reading. */
export function bucketText(size: Exclude<BucketSize, undefined>): string {
  return typeof size === "number" ? formatDuration(size * 1000) : strings.selection.calendar[size];
}
