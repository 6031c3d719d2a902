import { earliestTimestampMs } from "@devicemesh/proto";

/** The unit of a number that is a time since 1970. */
export type EpochUnit = (typeof epochUnits)[number];

/** Seconds, milli-, micro- and nanoseconds. */
export const epochUnits = ["s", "ms", "us", "ns"] as const;

/** Number of digits of a whole number below the millisecond; negative: missing digits. */
const digitsBelowMs: Readonly<Record<EpochUnit, number>> = { s: -3, ms: 0, us: 3, ns: 6 };

// Numbers of 2000 to 2099 in one unit are outside that range in every other: the units cannot be confused.
const latestMs = Date.UTC(2100, 0, 1);

/** Returns the time of that number since 1970, in whole milliseconds; NaN unless it is in 2000 to 2099 in that unit. */
export function readEpoch(text: string, unit: EpochUnit): number {
  const parts = /^(\d{9,20})(?:\.(\d*))?$/.exec(
    text.includes("e") || text.includes("E") ? plainDigits(text) : text,
  );
  if (parts === null) return Number.NaN;
  const [, whole, fraction = ""] = parts;
  const below = digitsBelowMs[unit];
  const digits =
    below < 0 ? whole! + fraction.padEnd(3, "0").slice(0, 3) : whole!.slice(0, whole!.length - below);
  const ms = Number(digits);
  return ms >= earliestTimestampMs && ms < latestMs ? ms : Number.NaN;
}

/** `1.5945120943859746E9` without its exponent, digit by digit. */
function plainDigits(text: string): string {
  const parts = /^(\d)(?:\.(\d*))?e\+?(\d\d?)$/i.exec(text);
  if (parts === null) return text;
  const [, first, fraction = "", exponent] = parts;
  const digits = fraction.padEnd(Number(exponent), "0");
  return `${first}${digits.slice(0, Number(exponent))}.${digits.slice(Number(exponent))}`;
}

/**
 * Returns the local time of a spreadsheet's day number (45745.5 is noon of 2025-03-29), as if in UTC, to the
 * millisecond.
 */
export function readExcelDay(text: string): number {
  if (!/^\d{5}([.,]\d+)?$/.test(text)) return Number.NaN;
  const ms = Math.round((Number(text.replace(",", ".")) - daysTo1970) * 86_400_000);
  return ms >= earliestTimestampMs && ms < latestMs ? ms : Number.NaN;
}

const daysTo1970 = 25_569;
