import { monthNumber, weekdayLength } from "./calendar-names.ts";

/** The order of the parts of a numeric date. */
export type DateOrder = "day-month" | "month-day" | "year-month";

/** The name of an order on the command line. */
export const dateOrders = ["day-month", "month-day", "year-month"] as const satisfies readonly DateOrder[];

/** A date at the beginning of a text: its midnight as if in UTC, and the index after it. */
export type ReadDate = { readonly midnightMs: number; readonly end: number };

const dayMs = 86_400_000;

/**
 * Reads `2025-03-29`, `2025/3/29`, `2025.03.29` or `20250329` at the beginning of the text; also `2025-W13-6`, and
 * `2025-088` before a time (alone it can be a number of anything). Without separators the year
 * is 1900 to 2099: twelve digits are also milliseconds since 1970, of 2000 and 2001.
 */
export function readYearFirst(text: string): ReadDate | undefined {
  const parts =
    /^(\d{4})([-/.:])(\d{1,2})\2(\d{1,2})(?!\d)/.exec(text) ?? /^((?:19|20)\d\d)()(\d\d)(\d\d)/.exec(text);
  return parts === null ? isoDate(text) : dateOf(parts[1]!, parts[3]!, parts[4]!, parts[0].length);
}

/** The date of a week and weekday, or of a day of the year, as ISO 8601 writes them. */
function isoDate(text: string): ReadDate | undefined {
  const parts = /^((?:19|20)\d\d)(?:-?W(\d\d)-?([1-7])(?!\d)|-(\d{3})(?=T))/.exec(text);
  if (parts === null) return undefined;
  const [{ length: end }, year, week, weekday, day] = parts;
  const newYearMs = Date.UTC(Number(year), 0, 1);
  if (day !== undefined) {
    const midnightMs = newYearMs + (Number(day) - 1) * dayMs;
    return new Date(midnightMs).getUTCFullYear() === Number(year) ? { midnightMs, end } : undefined;
  }
  // January 4 is always in week 1, and the Thursday of a week in its year.
  const mondayMs = mondayOf(Date.UTC(Number(year), 0, 4)) + (Number(week) - 1) * 7 * dayMs;
  const isInYear = new Date(mondayMs + 3 * dayMs).getUTCFullYear() === Number(year);
  return isInYear ? { midnightMs: mondayMs + (Number(weekday) - 1) * dayMs, end } : undefined;
}

function mondayOf(midnightMs: number): number {
  return midnightMs - ((new Date(midnightMs).getUTCDay() + 6) % 7) * dayMs;
}

/**
 * Reads `29.3.2025`, `03/29/25`, `25-03-29` at the beginning of the text, in that order; a year of two digits is 2000
 * to 2099.
 */
export function readNumericDate(text: string, order: DateOrder): ReadDate | undefined {
  const weekday = weekdayLength(text);
  const parts = /^(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d\d)(?!\d)/.exec(text.slice(weekday));
  if (parts === null) return undefined;
  const [all, first, , second, third] = parts;
  const length = weekday + all.length;
  if (order === "year-month") {
    return third!.length === 2 && first!.length === 2
      ? dateOf(fullYear(first!), second!, third!, length)
      : undefined;
  }
  const [day, month] = order === "day-month" ? [first!, second!] : [second!, first!];
  return dateOf(fullYear(third!), month, day, length);
}

/**
 * Reads `29 Mar 2025`, `29-Mar-25`, `Mar 29, 2025`, `Sat, 29 March 2025`, `29. März 2025`, `29 de marzo de 2025` at the
 * beginning of the text.
 */
export function readNamedMonth(text: string): ReadDate | undefined {
  const weekday = weekdayLength(text);
  const rest = text.slice(weekday);
  const dayFirst =
    /^(\d{1,2})(?:st|nd|rd|th|er)?[-/. ]\s*(?:de )?(\p{L}{3,10})\.?(?:[-/., ]| de )\s*(\d{4}|\d\d)(?!\d)/iu.exec(
      rest,
    );
  if (dayFirst !== null) {
    const [all, day, month, year] = dayFirst;
    return dateOf(fullYear(year!), monthOf(month!), day!, weekday + all.length);
  }
  const monthFirst = /^(\p{L}{3,10})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)/iu.exec(rest);
  if (monthFirst === null) return undefined;
  const [all, month, day, year] = monthFirst;
  return dateOf(year!, monthOf(month!), day!, weekday + all.length);
}

function fullYear(year: string): string {
  return year.length === 2 ? `20${year}` : year;
}

function monthOf(name: string): string {
  return String(monthNumber(name) ?? 0);
}

function dateOf(year: string, month: string, day: string, end: number): ReadDate | undefined {
  const midnightMs = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const date = new Date(midnightMs);
  // Date.UTC turns February 30 into March 2.
  const exists = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  return exists && Number(year) >= 1000 && midnightMs % dayMs === 0 ? { midnightMs, end } : undefined;
}
