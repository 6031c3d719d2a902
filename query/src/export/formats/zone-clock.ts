import { type OffsetSpan, zoned } from "../../calendar/zone-offsets.ts";

/** Local times of a zone of the IANA database. */
export type ZoneClock = {
  readonly zone: string;
  /** Returns the difference of local time to UTC at a time (ms since 1970), in ms. */
  offsetMs(ms: number): number;
  /**
   * Returns the time of a local time, given as the same digits in UTC (ms since 1970). For a local time that occurs
   * twice it is the first, and a skipped one counts as if the clocks had not been changed yet.
   */
  momentOf(localMs: number): number;
};

const minuteMs = 60_000;

/** Creates the clock of a zone. @throws RangeError if there is no such zone. */
export function createZoneClock(zone: string): ZoneClock {
  if (zone === "UTC") return { zone, offsetMs: () => 0, momentOf: (localMs) => localMs };
  // Times are mostly in order, so an offset is reused until the next change of the clocks.
  let known: OffsetSpan = { sinceMs: 0, toMs: 0, offsetMs: 0 };
  zoned(0, zone);

  return {
    zone,
    offsetMs(ms) {
      if (ms < known.sinceMs || ms >= known.toMs) {
        const at = zoned(ms, zone);
        const toMs = at.getTimeZoneTransition("next")?.epochMilliseconds ?? Number.POSITIVE_INFINITY;
        known = { sinceMs: ms, toMs, offsetMs: at.offsetNanoseconds / 1e6 };
      }
      return known.offsetMs;
    },
    momentOf: (localMs) =>
      // "compatible", the default, is the first of two, and the later one for a skipped time.
      zoned(localMs, "UTC").toPlainDateTime().toZonedDateTime(zone).epochMilliseconds,
  };
}

/** Formats times as ISO 8601 with milliseconds and the offset of the zone: `2026-11-23T21:04:22.000+01:00`. */
export function createTimeText({ zone, offsetMs }: ZoneClock): (ms: number) => string {
  let second = Number.NaN;
  let prefix = "";
  let suffix = "Z";
  return (ms) => {
    const current = Math.floor(ms / 1000);
    if (current !== second) {
      second = current;
      const offset = offsetMs(current * 1000);
      prefix = new Date(current * 1000 + offset).toISOString().slice(0, 20);
      suffix = zone === "UTC" ? "Z" : offsetText(offset);
    }
    const rest = ms - current * 1000;
    return `${prefix}${rest < 10 ? "00" : rest < 100 ? "0" : ""}${rest}${suffix}`;
  };
}

function offsetText(offsetMs: number): string {
  const minutes = Math.abs(Math.round(offsetMs / minuteMs));
  const two = (value: number): string => `${value}`.padStart(2, "0");
  return `${offsetMs < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
