import { ownCopy } from "../formats/own-copy.ts";

/** A time of day and its suffix. */
export type TimeOfDay = {
  /** Whole milliseconds since midnight; smaller digits are truncated. */
  ms: number;
  /** The offset from UTC that follows, in minutes; NaN if there is none. */
  offsetMinutes: number;
};

/**
 * Reads `20:04`, `20:04:22.5`, `8:04:22 PM`, `200422` (only if `compact`), each with or without an offset (`Z`,
 * `+02:00`, `+0200`, `+02`, ` UTC`, `+02:00[Europe/Berlin]`), from that index to the end of the text, into `result`. Returns false if it is not
 * a time of day.
 */
export function readTimeOfDay(text: string, from: number, result: TimeOfDay, compact = false): boolean {
  const { length } = text;
  let at = from;
  const hourStart = at;
  let hour = 0;
  let digits = 0;
  for (let code = text.charCodeAt(at); code >= 48 && code <= 57 && digits < 2; code = text.charCodeAt(at)) {
    hour = hour * 10 + code - 48;
    digits += 1;
    at += 1;
  }
  if (at === hourStart) return false;
  let minute = 0;
  let second = 0;
  let fraction = 0;
  const separated = text.charCodeAt(at) === 58;
  if (!separated && !(compact && digits === 2)) return false;
  if (separated) at += 1;
  minute = twoDigits(text, at);
  if (minute < 0) return false;
  at += 2;
  const hasSecond = separated ? text.charCodeAt(at) === 58 : isDigit(text.charCodeAt(at));
  if (hasSecond) {
    if (separated) at += 1;
    second = twoDigits(text, at);
    if (second < 0) return false;
    at += 2;
    const point = text.charCodeAt(at);
    // A point, a comma, or the colon of some loggers.
    if ((point === 46 || point === 44 || (point === 58 && separated)) && isDigit(text.charCodeAt(at + 1))) {
      at += 1;
      let weight = 100;
      for (let code = text.charCodeAt(at); isDigit(code); code = text.charCodeAt(at)) {
        fraction += weight >= 1 ? (code - 48) * weight : 0;
        weight = Math.floor(weight / 10);
        at += 1;
      }
    }
  }
  if (minute > 59 || second > 59) return false;
  result.offsetMinutes = Number.NaN;
  if (at < length) {
    const rest = suffixOf(text.slice(at));
    if (rest === undefined) return false;
    if (rest.half !== undefined) {
      if (hour < 1 || hour > 12) return false;
      hour = (hour % 12) + (rest.half === "pm" ? 12 : 0);
    }
    result.offsetMinutes = rest.offsetMinutes;
  }
  // 24:00 is the end of the day.
  if (hour > 23 && !(hour === 24 && minute === 0 && second === 0 && fraction === 0)) return false;
  result.ms = ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
  return true;
}

type Suffix = { readonly half: "am" | "pm" | undefined; readonly offsetMinutes: number };

const suffixPattern =
  /^(?:\s*([ap])\.?\s?m\.?)?(?:(?:\s*(z|utc|gmt)|\s*(?:utc|gmt)?([+-])(\d\d)(?::?(\d\d))?(?:\s*(?:utc|gmt))?)(?:\[[\w/+-]+\])?)?$/i;
const suffixes = new Map<string, Suffix | undefined>();
const suffixesMax = 200;

/** Reads the suffix of a time of day: am or pm, and an offset; undefined if it is anything else. */
function suffixOf(text: string): Suffix | undefined {
  if (suffixes.has(text)) return suffixes.get(text);
  const parts = suffixPattern.exec(text);
  let suffix: Suffix | undefined;
  if (parts !== null) {
    const [, half, zulu, sign, hours = "0", minutes = "0"] = parts;
    const offset = Number(hours) * 60 + Number(minutes);
    const offsetMinutes = zulu !== undefined ? 0 : sign === undefined ? Number.NaN : offset;
    if (sign === undefined || (Number(hours) <= 15 && Number(minutes) <= 59)) {
      suffix = {
        half: half === undefined ? undefined : half.toLowerCase() === "p" ? "pm" : "am",
        offsetMinutes: sign === "-" ? 0 - offsetMinutes : offsetMinutes,
      };
    }
  }
  if (suffixes.size >= suffixesMax) suffixes.clear();
  suffixes.set(ownCopy(text), suffix);
  return suffix;
}

function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at);
  const ones = text.charCodeAt(at + 1);
  return isDigit(tens) && isDigit(ones) ? (tens - 48) * 10 + ones - 48 : -1;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
