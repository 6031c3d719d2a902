import { type DateOrder, type ReadDate, readNamedMonth, readNumericDate, readYearFirst } from "./dates.ts";
import { type EpochUnit, epochUnits, readEpoch, readExcelDay } from "./numeric-times.ts";
import { readTimeOfDay, type TimeOfDay } from "./time-of-day.ts";

/** The format of a column's times. */
export type TimeForm =
  /** The year first, then the month: ISO 8601 and similar formats. */
  | { readonly kind: "year-first" }
  /** Three numbers in that order, a year of two or four digits. */
  | { readonly kind: "numeric"; readonly order: DateOrder }
  /** With the English name of a month. */
  | { readonly kind: "named-month" }
  /** Seconds, or parts of them, since 1970. */
  | { readonly kind: "epoch"; readonly unit: EpochUnit }
  /** Days since 1899-12-30, with decimals for the time, as in spreadsheets. */
  | { readonly kind: "spreadsheet-days" }
  /** `2024010105`: year, month, day and hour. The same digits are seconds since 1970, so only a preset has it. */
  | { readonly kind: "compact-hours" };

/** Every form that needs no preset, in the order in which they are tried. */
export const timeForms: readonly TimeForm[] = [
  { kind: "year-first" },
  { kind: "numeric", order: "day-month" },
  { kind: "numeric", order: "month-day" },
  { kind: "numeric", order: "year-month" },
  { kind: "named-month" },
  ...epochUnits.map((unit) => ({ kind: "epoch", unit }) as const),
  { kind: "spreadsheet-days" },
];

/**
 * Reads times of one format. After `read`, `isLocal` is whether the last time has no zone, and `isDate` whether it has
 * no time of day.
 */
export type TimeReader = {
  /**
   * Returns milliseconds since 1970, smaller digits truncated; of a local time as if it were UTC; NaN if it does not
   * have this format.
   */
  read(text: string): number;
  isLocal(): boolean;
  isDate(): boolean;
};

/** Creates a reader of times of that format. Consecutive times of one day are fast: the day is read once. */
export function createTimeReader(form: TimeForm): TimeReader {
  if (form.kind === "epoch" || form.kind === "spreadsheet-days") {
    const isLocal = form.kind === "spreadsheet-days";
    const read = form.kind === "epoch" ? (text: string) => readEpoch(text, form.unit) : readExcelDay;
    return { read, isLocal: () => isLocal, isDate: () => false };
  }
  if (form.kind === "compact-hours") {
    const { read, ...about } = createTimeReader({ kind: "year-first" });
    return { ...about, read: (text) => (/^\d{10}$/.test(text) ? read(`${text}00`) : Number.NaN) };
  }
  const readDate = dateReaderOf(form);
  const time: TimeOfDay = { ms: 0, offsetMinutes: Number.NaN };
  let knownText = "";
  let known: ReadDate | undefined;
  let local = true;
  let date = false;

  function read(given: string): number {
    const text = form.kind === "named-month" ? timeLast(given) : given;
    if (known === undefined || !text.startsWith(knownText) || isDigit(text.charCodeAt(known.end))) {
      known = readDate(text);
      if (known === undefined) return Number.NaN;
      knownText = text.slice(0, known.end);
    }
    const { midnightMs, end } = known;
    date = end === text.length;
    local = true;
    if (date) return midnightMs;
    const from = timeStart(text, end);
    const compact = isDigit(text.charCodeAt(end - 1)) && !/[-/. ]/.test(knownText);
    if (from < 0 || !readTimeOfDay(text, from, time, compact)) return Number.NaN;
    local = Number.isNaN(time.offsetMinutes);
    return midnightMs + time.ms - (local ? 0 : time.offsetMinutes * 60_000);
  }
  return { read, isLocal: () => local, isDate: () => date };
}

/**
 * Reads a time of day alone, in milliseconds since midnight; NaN if it is not one. A time with an offset is not one. In a
 * column of times of day, `18.00.00`, `14h30` and, as an hour, `7` are times too.
 */
export function readClockTime(text: string, isInColumn = false): number {
  const time: TimeOfDay = { ms: 0, offsetMinutes: Number.NaN };
  const clock = isInColumn ? withColons(text) : text;
  return readTimeOfDay(clock, 0, time) && Number.isNaN(time.offsetMinutes) ? time.ms : Number.NaN;
}

function withColons(text: string): string {
  const points = /^(\d{1,2})\.(\d\d)\.(\d\d)$/.exec(text);
  if (points !== null) return points.slice(1).join(":");
  const hours = /^(\d{1,2})(?:h(\d\d)?)?$/i.exec(text);
  return hours === null ? text : `${hours[1]}:${hours[2] ?? "00"}`;
}

/** `Sat Jan 13 00:00:00 2024`, as C and Unix write it, with the time behind the year. */
function timeLast(text: string): string {
  return text.replace(
    /^(\p{L}{3,} )?(\p{L}{3,}) +(\d{1,2}) (\d\d:\d\d:\d\d)( (?:UTC|GMT))? (\d{4})$/u,
    "$3 $2 $6 $4$5",
  );
}

function dateReaderOf(
  form: Extract<TimeForm, { kind: "year-first" | "numeric" | "named-month" }>,
): (text: string) => ReadDate | undefined {
  if (form.kind === "year-first") return readYearFirst;
  if (form.kind === "named-month") return readNamedMonth;
  return (text) => readNumericDate(text, form.order);
}

/** Returns where the time of day begins after a date; -1 unless it is separated by `T`, `_`, `:`, blanks or a comma. */
function timeStart(text: string, dateEnd: number): number {
  let at = dateEnd;
  const separator = text.charCodeAt(at);
  if (separator === 84 || separator === 116 || separator === 95 || separator === 58) return at + 1;
  if (separator === 44) at += 1;
  while (text.charCodeAt(at) === 32) at += 1;
  if (at === dateEnd) return isDigit(separator) && dateEnd === 8 ? at : -1;
  return at;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
