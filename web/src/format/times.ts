/** "local", "UTC" or the name of an IANA zone. */
export type Zone = string;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Returns the zone's IANA name; undefined means the browser's own. */
export function ianaZone(zone: Zone): string | undefined {
  return zone === "local" ? undefined : zone;
}

/** Whether the browser knows the zone. */
export function isZone(zone: string): boolean {
  if (zone === "local") return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** The browser's own zone. */
export function localZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Formats a time as `2026-11-29 12:03:04`, with milliseconds on request. */
export function formatMoment(ms: number | undefined, zone: Zone, withMs = false): string {
  if (ms === undefined) return "–";
  const { year, month, day, hour, minute, second } = partsOf(ms, zone);
  const fraction = withMs ? `.${String(((ms % 1000) + 1000) % 1000).padStart(3, "0")}` : "";
  return `${year}-${month}-${day} ${hour}:${minute}:${second}${fraction}`;
}

/** Formats the time of day, as `12:03:04`. */
export function formatTime(ms: number | undefined, zone: Zone): string {
  return ms === undefined ? "–" : formatMoment(ms, zone).slice(-8);
}

type Parts = { readonly [part in "year" | "month" | "day" | "hour" | "minute" | "second"]: string };

function partsOf(ms: number, zone: Zone): Parts {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      ...{ year: "numeric", month: "2-digit", day: "2-digit" },
      ...{ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
      timeZone: ianaZone(zone),
    });
    formats.set(zone, format);
  }
  return Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value])) as Parts;
}

/** Returns the value of a `datetime-local` input for a time: local time in the zone, to the second. */
export function toInputValue(ms: number, zone: Zone): string {
  return formatMoment(ms, zone).replace(" ", "T");
}

/**
 * Returns the time of a `datetime-local` input's local time in a zone; undefined if it is not valid. If it occurs
 * twice, the earlier time; if a clock change skips it, the time after the change.
 */
export function fromInputValue(text: string, zone: Zone): number | undefined {
  const asUtc = Date.parse(`${text}${/T\d\d:\d\d$/.test(text) ? ":00" : ""}Z`);
  if (Number.isNaN(asUtc)) return undefined;
  const offsets = [-86_400_000, 86_400_000].map((shift) => offsetOf(asUtc + shift, zone));
  const candidates = [...new Set(offsets)].map((offset) => asUtc - offset).sort((one, other) => one - other);
  return candidates.find((ms) => offsetOf(ms, zone) === asUtc - ms) ?? candidates.at(-1);
}

function offsetOf(ms: number, zone: Zone): number {
  const wholeMs = Math.floor(ms / 1000) * 1000;
  return Date.parse(`${formatMoment(wholeMs, zone).replace(" ", "T")}Z`) - wholeMs;
}

const units = [
  { ms: 86_400_000, name: "d" },
  { ms: 3_600_000, name: "h" },
  { ms: 60_000, name: "min" },
  { ms: 1000, name: "s" },
] as const;

/** Formats a duration in its two largest units, such as `2 h 5 min`; below 10 s with one decimal if `fine`. */
export function formatDuration(ms: number, { fine = false }: { readonly fine?: boolean } = {}): string {
  const span = Math.max(ms, 0);
  if (fine && span < 10_000) return `${(span / 1000).toFixed(1)} s`;
  const first = units.findIndex((unit) => span >= unit.ms);
  const large = units[first];
  if (!large) return fine ? `${(span / 1000).toFixed(1)} s` : "0 s";
  const whole = Math.floor(span / large.ms);
  const small = units[first + 1];
  const rest = small ? Math.floor((span - whole * large.ms) / small.ms) : 0;
  return rest > 0 && small ? `${whole} ${large.name} ${rest} ${small.name}` : `${whole} ${large.name}`;
}
