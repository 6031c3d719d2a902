/** A time zone: maps local times to instants. */
export type Zone = {
  readonly name: string;
  /**
   * Returns the instants (milliseconds since 1970, ascending) with this local time, given as if it were UTC: usually
   * one, none while clocks are set forward, two while they are set back.
   */
  instantsOf(localMs: number): readonly number[];
};

/** A span of time with one offset from UTC, in milliseconds; `end` is exclusive. */
type Span = { readonly start: number; readonly end: number; readonly offset: number };

const dayMs = 86_400_000;
// Samoa skipped a whole day in 2011: no offset differs more from the next one.
const marginMs = 2 * dayMs;

/**
 * Returns the zone of that IANA name (`Europe/Berlin`, `UTC`, also `+02:00`), from the time zone data of Node.
 * @throws RangeError if there is no such zone.
 */
export function createZone(name: string): Zone {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  if (format.resolvedOptions().timeZone === "UTC") return { name, instantsOf: (localMs) => [localMs] };
  const spansOfYear = new Map<number, readonly Span[]>();
  let last: Span = { start: 0, end: 0, offset: 0 };

  function offsetAt(ms: number): number {
    const text = format.formatToParts(ms).find(({ type }) => type === "timeZoneName")?.value ?? "";
    return offsetOf(text);
  }

  /** Returns the spans from two days before the year to two days after it. */
  function spansOf(year: number): readonly Span[] {
    const known = spansOfYear.get(year);
    if (known !== undefined) return known;
    const start = Date.UTC(year, 0, 1) - marginMs;
    const end = Date.UTC(year + 1, 0, 1) + marginMs;
    const spans: Span[] = [];
    let from = start;
    let offset = offsetAt(start);
    for (let ms = start + dayMs; ms <= end; ms += dayMs) {
      if (offsetAt(ms) === offset) continue;
      const change = changeBetween(ms - dayMs, ms, offset);
      spans.push({ start: from, end: change, offset });
      from = change;
      offset = offsetAt(change);
    }
    spans.push({ start: from, end, offset });
    spansOfYear.set(year, spans);
    return spans;
  }

  /** Returns the first millisecond of another offset; offsets change at whole seconds. */
  function changeBetween(before: number, after: number, offset: number): number {
    let low = before / 1000;
    let high = after / 1000;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle * 1000) === offset) low = middle;
      else high = middle;
    }
    return high * 1000;
  }

  return {
    name,
    instantsOf(localMs) {
      const likely = localMs - last.offset;
      if (likely >= last.start + marginMs && likely < last.end - marginMs) return [likely];
      const spans = spansOf(new Date(localMs).getUTCFullYear());
      const found = spans.filter(
        ({ start, end, offset }) => localMs - offset >= start && localMs - offset < end,
      );
      if (found.length === 1) last = found[0]!;
      return found.map(({ offset }) => localMs - offset).sort((a, b) => a - b);
    },
  };
}

/** Parses `GMT`, `GMT+05:30` or `GMT-00:44:30` to milliseconds. */
function offsetOf(text: string): number {
  const parts = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text);
  if (parts === null) throw new Error(`the offset ${JSON.stringify(text)} is not of the form GMT+05:30`);
  const [, sign = "+", hours = "0", minutes = "0", seconds = "0"] = parts;
  const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return sign === "-" ? -ms : ms;
}
