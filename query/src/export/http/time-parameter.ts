import type { ZoneClock } from "../formats/zone-clock.ts";

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Parses a duration such as `10s`, `5m`, `1h`, `7d` or `2w` to ms; undefined if it is not one. A day has 24 hours. */
export function durationMs(text: string): number | undefined {
  const [, count, unit = ""] = /^(\d{1,9})(ms|s|m|min|h|d|w)$/.exec(text) ?? [];
  const unitMs = unitsMs[unit];
  return count === undefined || unitMs === undefined ? undefined : Number(count) * unitMs;
}

/** The formats of a time parameter, for the error message. */
export const timeForms =
  "must be a date (2026-11-23), a date and time (2026-11-23T20:04:22Z, with an offset or in the zone), now, or a duration before now (-7d)";

const isoPattern =
  /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|[+ -]\d{2}:?\d{2})?)?$/;

/**
 * Parses a time parameter to ms since 1970, digits below the millisecond truncated; undefined if it is none of
 * `timeForms`. A date is its midnight in the zone. A blank before an offset is a `+` that the URL did not encode.
 */
export function timeParameter(text: string, clock: ZoneClock, nowMs: number): number | undefined {
  if (text === "now") return nowMs;
  if (text.startsWith("-")) {
    const before = durationMs(text.slice(1));
    return before === undefined ? undefined : nowMs - before;
  }
  const [, date, minutes = "00:00", seconds = "00", fraction = "", offset] = isoPattern.exec(text) ?? [];
  if (date === undefined) return undefined;
  const digits = `${date}T${minutes}:${seconds}`;
  const localMs = Date.parse(`${digits}Z`);
  // The engine reads February 30 as March 2.
  if (Number.isNaN(localMs) || new Date(localMs).toISOString().slice(0, 19) !== digits) return undefined;
  const ms = localMs + Number(fraction.padEnd(3, "0").slice(0, 3));
  if (offset === undefined) return clock.momentOf(ms);
  if (offset === "Z") return ms;
  const [, sign, hours, rest] = /^(.)(\d{2}):?(\d{2})$/.exec(offset) ?? [];
  if (Number(hours) > 23 || Number(rest) > 59) return undefined;
  const offsetMs = (Number(hours) * 60 + Number(rest)) * 60_000;
  return ms - (sign === "-" ? -offsetMs : offsetMs);
}
