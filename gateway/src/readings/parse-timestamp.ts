import { shown } from "./parse-value.ts";

/** A time in whole milliseconds since 1970, or the rule that the text breaks. */
export type ParsedTimestamp =
  | { readonly kind: "time"; readonly ms: number }
  | { readonly kind: "problem"; readonly rule: string; readonly text: string };

const isoPattern =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?(Z|z|[+-]\d\d(?::?\d\d)?)?$/;

/**
 * Reads a timestamp in the formats of devices: ISO 8601 with an offset or Z, or the seconds, milliseconds, microseconds
 * or nanoseconds since 1970 as a number or its digits. The magnitude gives the unit, unambiguously for times from 2000
 * to 2100. Digits below the millisecond are truncated. Pure.
 */
export function parseTimestamp(value: unknown): ParsedTimestamp {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string") return malformed(value);
  const digits = /^(\d{1,19})(?:\.(\d{1,9}))?$/.exec(text);
  if (digits) return epochTime(digits[1]!, digits[2] ?? "");
  const parts = isoPattern.exec(text);
  if (parts === null) return malformed(value);
  const [, year, month, day, hour, minute, second = "0", fraction = "", offset] = parts;
  if (offset === undefined) {
    const text = "has no zone: end it with Z, or with an offset such as +02:00";
    return { kind: "problem", rule: "timestamp.zone", text };
  }
  const fields = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [offsetHours, offsetMinutes] = [
    Number(offset.slice(1, 3) || 0),
    Number(offset.slice(-2).replace(/\D/g, "") || 0),
  ];
  const [y, mo, d, h, mi, s] = fields;
  const date = new Date(Date.UTC(y, mo - 1, d, h, mi, s));
  const exists =
    y >= 1000 && date.getUTCMonth() === mo - 1 && date.getUTCDate() === d && h <= 23 && mi <= 59 && s <= 59;
  if (!exists) return malformed(value);
  const isZulu = offset.toUpperCase() === "Z";
  const hours = isZulu ? 0 : offsetHours;
  const minutes = isZulu || offset.length === 3 ? 0 : offsetMinutes;
  if (hours > 23 || minutes > 59) return malformed(value);
  const offsetMs = (hours * 60 + minutes) * 60_000 * (offset.startsWith("-") ? -1 : 1);
  return { kind: "time", ms: date.getTime() + Number(fraction.slice(0, 3).padEnd(3, "0")) - offsetMs };
}

// 2000-01-01 and 2100-01-01 in seconds: a number between them in one unit is outside in every other unit.
const earliestSeconds = 946_684_800n;
const latestSeconds = 4_102_444_800n;
/** Number of digits of a unit below the second. */
const epochUnits = [0, 3, 6, 9];

function epochTime(whole: string, fraction: string): ParsedTimestamp {
  const count = BigInt(whole);
  for (const digits of epochUnits) {
    const seconds = count / 10n ** BigInt(digits);
    if (seconds < earliestSeconds || seconds >= latestSeconds) continue;
    const below = digits === 0 ? fraction : whole.slice(-digits);
    return { kind: "time", ms: Number(seconds) * 1000 + Number(below.slice(0, 3).padEnd(3, "0")) };
  }
  const text =
    "is not a time from 2000 to 2100 in seconds, milliseconds, microseconds or nanoseconds since 1970";
  return { kind: "problem", rule: "timestamp.epoch", text };
}

function malformed(value: unknown): ParsedTimestamp {
  const text = `${shown(value)} is not a time: write ISO 8601 with an offset (2026-01-31T12:00:00Z), or seconds since 1970`;
  return { kind: "problem", rule: "timestamp.form", text };
}
