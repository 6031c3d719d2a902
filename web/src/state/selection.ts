import { listOf } from "@devicemesh/kit/settings/list-of";
import { isZone, type Zone } from "../format/times.ts";
import { type BucketSize, parseBucket } from "./bucket.ts";
import { parseTimeframe, type Timeframe, timeframeText } from "./timeframe.ts";

/** The lines of a chart: one for each series, or one for each sensor over all its devices. */
export type Lines = "auto" | "series" | "sensor";

/** The curves of a chart: the average or the time-weighted average with minimum to maximum, or percentiles. */
export const curveKinds = ["range", "weighted", "percentiles"] as const;
export type Curves = (typeof curveKinds)[number];

/** The longest times for which a value holds in a time-weighted average, in seconds. */
export const holds = [60, 600, 3600, 86_400] as const;
export type Hold = (typeof holds)[number];
const usualHold = 600;

/** What a chart draws where a bucket has no readings. */
export const fills = ["none", "previous", "linear"] as const;
export type Fill = (typeof fills)[number];

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
  readonly curves: Curves;
  readonly hold: Hold;
  readonly fill: Fill;
};

/** Parses a selection from the parameters of a URL; malformed and missing parts are the default. */
export function parseSelection(params: URLSearchParams): Selection {
  const zone = params.get("zone") ?? "local";
  const lines = params.get("lines");
  return {
    devices: namesOf(params.get("devices") ?? ""),
    sensors: namesOf(params.get("sensors") ?? ""),
    timeframe: parseTimeframe(params.get("time") ?? undefined),
    zone: isZone(zone) ? zone : "local",
    bucket: parseBucket(params.get("bucket")),
    lines: lines === "series" || lines === "sensor" ? lines : "auto",
    curves: curveKinds.find((name) => name === params.get("curves")) ?? "range",
    hold: holds.find((seconds) => String(seconds) === params.get("hold")) ?? usualHold,
    fill: fills.find((name) => name === params.get("fill")) ?? "none",
  };
}

/** The reverse of parseSelection; leaves out defaults. */
export function selectionParams(selection: Selection): URLSearchParams {
  const { devices, sensors, timeframe, zone, bucket, lines, curves, hold, fill } = selection;
  const time = timeframeText(timeframe);
  return new URLSearchParams({
    ...(devices.length > 0 && { devices: devices.join(",") }),
    ...(sensors.length > 0 && { sensors: sensors.join(",") }),
    ...(time !== "1h" && { time }),
    ...(zone !== "local" && { zone }),
    ...(bucket !== undefined && { bucket: String(bucket) }),
    ...(lines !== "auto" && { lines }),
    ...(curves !== "range" && { curves }),
    ...(hold !== usualHold && { hold: String(hold) }),
    ...(fill !== "none" && { fill }),
  });
}

/** Parses a comma-separated list, without empty and equal entries. */
export function namesOf(text: string): string[] {
  return [...new Set(listOf(text))];
}

/** Whether a name of a device is a pattern. */
export function isPattern(name: string): boolean {
  return /[*?]/.test(name);
}
