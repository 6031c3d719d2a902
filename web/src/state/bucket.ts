import { formatDuration } from "../format/times.ts";
import { strings } from "../strings.ts";

/** Calendar units of the selected time zone, with their approximate length in ms. */
export const calendarUnits = {
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 31 * 86_400_000,
  quarter: 92 * 86_400_000,
  year: 366 * 86_400_000,
} as const;

/** A calendar unit. */
export type CalendarUnit = keyof typeof calendarUnits;

/** The size of a bucket: seconds, a calendar unit, or undefined if the server chooses. */
export type BucketSize = number | CalendarUnit | undefined;

/** Parses a size from a URL; undefined if it is not valid. */
export function parseBucket(text: string | null): BucketSize {
  if (text !== null && Object.hasOwn(calendarUnits, text)) return text as CalendarUnit;
  const seconds = Number(text);
  return Number.isSafeInteger(seconds) && seconds > 0 ? seconds : undefined;
}

/** Formats a size for reading. */
export function bucketText(size: Exclude<BucketSize, undefined>): string {
  return typeof size === "number" ? formatDuration(size * 1000) : strings.selection.calendar[size];
}
