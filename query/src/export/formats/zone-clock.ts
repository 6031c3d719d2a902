/** Local times of a zone of the IANA database. */
export type ZoneClock = {
  readonly zone: string;
  /** How far local time is ahead of UTC at a moment (ms since 1970), in ms. */
  offsetMs(ms: number): number;
  /**
   * The moment of a local time, given as the same digits in UTC (ms since 1970). Of a time that comes twice it is the
   * first, and one that is left out counts as if the clocks had not been changed yet.
   */
  momentOf(localMs: number): number;
};

const [minuteMs, hourMs, dayMs] = [60_000, 3_600_000, 86_400_000];

/** Offsets that are remembered; beyond, all are forgotten. */
const rememberedMax = 20_000;

/** Makes the clock of a zone. @throws RangeError if there is no such zone. */
export function createZoneClock(zone: string): ZoneClock {
  if (zone === "UTC") return { zone, offsetMs: () => 0, momentOf: (localMs) => localMs };
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "iso8601",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const remembered = new Map<number, number>();

  function measured(ms: number): number {
    const known = remembered.get(ms);
    if (known !== undefined) return known;
    const fields = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const field = (name: Intl.DateTimeFormatPartTypes): number => fields.get(name) ?? 0;
    const local = Date.UTC(
      field("year"),
      field("month") - 1,
      field("day"),
      field("hour"),
      field("minute"),
      field("second"),
    );
    if (remembered.size >= rememberedMax) remembered.clear();
    remembered.set(ms, local - ms);
    return local - ms;
  }
  function offsetMs(ms: number): number {
    const hour = Math.floor(ms / hourMs) * hourMs;
    const atHour = measured(hour);
    // No zone changes twice within an hour.
    if (atHour === measured(hour + hourMs)) return atHour;
    return measured(Math.floor(ms / minuteMs) * minuteMs);
  }
  return {
    zone,
    offsetMs,
    momentOf(localMs) {
      const before = offsetMs(localMs - dayMs);
      const early = localMs - before;
      if (offsetMs(early) === before) return early;
      const late = localMs - offsetMs(localMs + dayMs);
      return late + offsetMs(late) === localMs ? late : early;
    },
  };
}

/** Writes moments as ISO 8601 with milliseconds and the offset of the zone: `2026-11-23T21:04:22.000+01:00`. */
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
