import { isZone, type Zone } from "../format/times.ts";
import { type BucketSize, parseBucket } from "./bucket.ts";
import { parseTimeframe, type Timeframe, timeframeText } from "./timeframe.ts";

/** The lines of a chart: one for each series, or one for each sensor over all its devices. */
export type Lines = "auto" | "series" | "sensor";

/** The contents of a view. All of it is in the URL. */
export type Selection = {
  /** Names of devices, or patterns with `*` and `?`; empty means all. */
  readonly devices: readonly string[];
  /** Names of sensors; empty means all. */
  readonly sensors: readonly string[];
  readonly timeframe: Timeframe;
  readonly zone: Zone;
  /** The size of a bucket; undefined derives it from the width of the chart. */
  readonly bucket: BucketSize;
  readonly lines: Lines;
};

/** Parses a selection from the parameters of a URL; malformed and missing parts are the default. */
export function parseSelection(params: URLSearchParams): Selection {
  const zone = params.get("zone") ?? "local";
  const lines = params.get("lines");
  return {
    devices: listOf(params.get("devices") ?? ""),
    sensors: listOf(params.get("sensors") ?? ""),
    timeframe: parseTimeframe(params.get("time") ?? undefined),
    zone: isZone(zone) ? zone : "local",
    bucket: parseBucket(params.get("bucket")),
    lines: lines === "series" || lines === "sensor" ? lines : "auto",
  };
}

/** The reverse of parseSelection; leaves out defaults. */
export function selectionParams(selection: Selection): URLSearchParams {
  const { devices, sensors, timeframe, zone, bucket, lines } = selection;
  const time = timeframeText(timeframe);
  return new URLSearchParams({
    ...(devices.length > 0 && { devices: devices.join(",") }),
    ...(sensors.length > 0 && { sensors: sensors.join(",") }),
    ...(time !== "1h" && { time }),
    ...(zone !== "local" && { zone }),
    ...(bucket !== undefined && { bucket: String(bucket) }),
    ...(lines !== "auto" && { lines }),
  });
}

/** Parses a comma-separated list, without empty and equal entries. */
export function listOf(text: string): string[] {
  const entries = text.split(",").map((entry) => entry.trim());
  return [...new Set(entries.filter((entry) => entry !== ""))];
}

/** Whether a name of a device is a pattern. */
export function isPattern(name: string): boolean {
  return /[*?]/.test(name);
}

/**
 * Whether a device matches one of the names and patterns; an empty list matches all. Patterns are not case-sensitive.
 */
export function matcherOf(names: readonly string[]): (device: string) => boolean {
  if (names.length === 0) return () => true;
  const exact = new Set(names.filter((name) => !isPattern(name)));
  const patterns = names.filter(isPattern).map((pattern) => {
    const source = pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    return new RegExp(`^${source}$`, "i");
  });
  return (device) => exact.has(device) || patterns.some((pattern) => pattern.test(device));
}
