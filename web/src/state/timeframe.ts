/** The timeframe of a view: a span that ends now, everything, or two bounds in ms since 1970 (`to` exclusive). */
export type Timeframe =
  | { readonly kind: "last"; readonly spanMs: number }
  | { readonly kind: "all" }
  | { readonly kind: "between"; readonly sinceMs: number; readonly toMs: number };

/** The bounds of a request; an unset bound is no bound. */
export type Bounds = { readonly sinceMs?: number; readonly toMs?: number };

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** The timeframes of the buttons, by their name in the URL. */
export const presets = {
  "15m": 15 * minuteMs,
  "1h": hourMs,
  "24h": dayMs,
  "7d": 7 * dayMs,
  "30d": 30 * dayMs,
} as const satisfies Readonly<Record<string, number>>;

export const defaultTimeframe: Timeframe = { kind: "last", spanMs: presets["1h"] };

/** The range of times that the contract accepts in ms since 1970: from the year 1 to the year 9999. */
const earliestMs = Date.UTC(2000, 0, 1) - 2000 * 366 * dayMs;
const latestMs = Date.UTC(9999, 11, 31);

/** Parses `15m`, `all` or `SINCE..TO` in ISO 8601; the default if it is none of these. */
export function parseTimeframe(text: string | undefined): Timeframe {
  if (text === undefined) return defaultTimeframe;
  if (text === "all") return { kind: "all" };
  if (Object.hasOwn(presets, text)) return { kind: "last", spanMs: presets[text as keyof typeof presets] };
  const [since = "", to = ""] = text.split("..");
  const [sinceMs, toMs] = [Date.parse(since), Date.parse(to)];
  const isSpan = sinceMs >= earliestMs && toMs <= latestMs && sinceMs < toMs;
  return isSpan ? { kind: "between", sinceMs, toMs } : defaultTimeframe;
}

/** The reverse of parseTimeframe. */
export function timeframeText(timeframe: Timeframe): string {
  if (timeframe.kind === "all") return "all";
  if (timeframe.kind === "between")
    return `${new Date(timeframe.sinceMs).toISOString()}..${new Date(timeframe.toMs).toISOString()}`;
  const preset = Object.entries(presets).find(([, spanMs]) => spanMs === timeframe.spanMs);
  return preset?.[0] ?? "1h";
}

/** Returns the bounds at a time. The current second is included, and with it the newest readings. */
export function boundsAt(timeframe: Timeframe, nowMs: number): Bounds {
  if (timeframe.kind === "all") return {};
  if (timeframe.kind === "between") return { sinceMs: timeframe.sinceMs, toMs: timeframe.toMs };
  const toMs = Math.ceil((nowMs + 1) / 1000) * 1000;
  return { sinceMs: toMs - timeframe.spanMs, toMs };
}

/** Shifts the span by a share of its length, or scales it around `centre` (0 to 1 of its length); whole ms. */
export function movedSpan(
  { sinceMs, toMs }: { readonly sinceMs: number; readonly toMs: number },
  { shift = 0, scale = 1, centre = 0.5 }: { shift?: number; scale?: number; centre?: number },
): Timeframe {
  const length = toMs - sinceMs;
  const newLength = Math.max(length * scale, 1);
  const start = sinceMs + shift * length + centre * (length - newLength);
  const since = Math.round(Math.max(start, earliestMs));
  return { kind: "between", sinceMs: since, toMs: Math.round(Math.min(since + newLength, latestMs)) };
}
