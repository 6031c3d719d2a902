// The local time of a zone, by Intl: nothing is shared with the buckets under test.

/** A unit of the calendar. */
export type ClockUnit = "hour" | "day" | "week" | "month" | "quarter" | "year";

const [hourMs, dayMs] = [3_600_000, 86_400_000];

/** No clock of these zones has changed since 2000 at another time than a quarter of an hour. */
const quarterMs = 900_000;

/** No unit is longer; a clock changes by a day at most. */
const longestDays: Readonly<Record<ClockUnit, number>> = {
  hour: 2,
  day: 3,
  week: 9,
  month: 33,
  quarter: 94,
  year: 368,
};

const formats = new Map<string, Intl.DateTimeFormat>();

/** Returns the local time of a zone, in ms since 1970 as if it were UTC; whole seconds. */
export function shownMs(ms: number, timeZone: string): number {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(timeZone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  const { year = 0, month = 0, day, hour, minute, second } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Returns the number of the unit in a zone's local time, which increases with time. */
export function unitShown(unit: ClockUnit, ms: number, zone: string): number {
  const shown = shownMs(ms, zone);
  const date = new Date(shown);
  const month = date.getUTCFullYear() * 12 + date.getUTCMonth();
  switch (unit) {
    case "hour":
      return Math.floor(shown / hourMs);
    case "day":
      return Math.floor(shown / dayMs);
    case "week":
      return Math.floor((shown / dayMs - 4) / 7);
    case "month":
      return month;
    case "quarter":
      return Math.floor(month / 3);
    case "year":
      return Math.floor(month / 12);
  }
}

/** Returns the start of the unit that contains a time. */
export function unitStart(unit: ClockUnit, ms: number, zone: string): number {
  if (unit === "hour") {
    let startMs = ms - (ms % quarterMs);
    while (!beginsHour(startMs, zone)) startMs -= quarterMs;
    return startMs;
  }
  const shown = unitShown(unit, ms, zone);
  const isInside = (at: number): boolean => unitShown(unit, at, zone) >= shown;
  return firstMoment(ms - longestDays[unit] * dayMs, ms, isInside);
}

/** Returns the start of the unit after the one that starts at this time. */
export function nextUnitStart(unit: ClockUnit, startMs: number, zone: string): number {
  if (unit === "hour") {
    let ms = startMs + quarterMs;
    while (!beginsHour(ms, zone)) ms += quarterMs;
    return ms;
  }
  const shown = unitShown(unit, startMs, zone);
  return firstMoment(startMs, startMs + longestDays[unit] * dayMs, (at) => unitShown(unit, at, zone) > shown);
}

/** Whether the clock shows a full hour, or another hour than a quarter of an hour ago. */
function beginsHour(ms: number, zone: string): boolean {
  const isFull = shownMs(ms, zone) % hourMs === 0;
  return isFull || unitShown("hour", ms, zone) !== unitShown("hour", ms - quarterMs, zone);
}

/** Returns the first quarter of an hour after `lowMs`, up to `highMs`, with this property; all later ones have it. */
function firstMoment(lowMs: number, highMs: number, isSo: (ms: number) => boolean): number {
  let [low, high] = [Math.floor(lowMs / quarterMs), Math.ceil(highMs / quarterMs)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isSo(middle * quarterMs)) high = middle;
    else low = middle;
  }
  return high * quarterMs;
}
