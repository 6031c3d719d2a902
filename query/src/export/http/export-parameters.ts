import { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import { listOf } from "@devicemesh/kit/settings/list-of";
import { calendarUnits } from "../../calendar/calendar-grid.ts";
import type { Grouping } from "../../plan/merge.ts";
import { allTime } from "../../plan/planner.ts";
import type { Span } from "../../plan/spans.ts";
import type { SeriesFilter } from "../../store/reading-store.ts";
import type { ExportSizing } from "../buckets-export.ts";
import { defaultBucketMs } from "../export-limits.ts";
import { createZoneClock, type ZoneClock } from "../formats/zone-clock.ts";
import { durationMs, timeForms, timeParameter } from "./time-parameter.ts";

/** The formats of an export. */
export const exportFormats = ["csv", "ndjson", "arrow", "parquet"] as const;

/** A format. */
export type ExportFormat = (typeof exportFormats)[number];

/** The parameters of an export's URL. */
export type ExportParameters = {
  readonly format: ExportFormat;
  readonly filter: SeriesFilter;
  readonly timeframe: Span;
  readonly clock: ZoneClock;
  /** Whether the last line of csv and ndjson states the coverage. */
  readonly hasEndLine: boolean;
  /** For buckets only. */
  readonly sizing: ExportSizing;
  readonly grouping: Grouping;
};

type Violation = { readonly field: string; readonly description: string; readonly reason: string };

const groupings: readonly Grouping[] = ["series", "sensor", "device", "all"];
const common = ["format", "device", "sensor", "since", "to", "zone", "end"];

/** Maximum number of device ids and sensors, as in the contract. */
const namesMax = { device: 1000, sensor: 100 } as const;

/**
 * Parses the parameters of a URL.
 * @throws RpcError INVALID_ARGUMENT that names every wrong parameter.
 */
export function exportParameters(
  url: URLSearchParams,
  options: { readonly kind: "readings" | "buckets"; readonly windowMs: number; readonly nowMs: number },
): ExportParameters {
  const { kind, windowMs, nowMs } = options;
  const violations: Violation[] = [];
  const wrong = (field: string, description: string): undefined => {
    violations.push({ field, description, reason: `export.${field}` });
    return undefined;
  };
  const known = kind === "buckets" ? [...common, "bucket", "group_by"] : common;
  for (const name of new Set(url.keys())) {
    if (!known.includes(name))
      wrong(name, `is not a parameter of /v1/${kind}, which has ${known.join(", ")}`);
  }
  function single(name: string): string | undefined {
    const values = url.getAll(name);
    if (values.length > 1) return wrong(name, "is there more than once");
    return values[0];
  }
  function oneOf<Choice extends string>(name: string, choices: readonly [Choice, ...Choice[]]): Choice {
    const text = single(name) ?? choices[0];
    const found = choices.find((choice) => choice === text);
    if (found === undefined) wrong(name, `must be one of ${choices.join(", ")}`);
    return found ?? choices[0];
  }
  function names(name: keyof typeof namesMax): string[] {
    const found = [...new Set(url.getAll(name).flatMap(listOf))];
    if (found.length > namesMax[name])
      wrong(name, `there are ${found.length}, at most ${namesMax[name]} are taken`);
    return found;
  }
  function zoneClock(): ZoneClock {
    const zone = single("zone") ?? "UTC";
    try {
      return createZoneClock(zone);
    } catch {
      wrong("zone", "must be a name of the IANA time zone database, such as Europe/Berlin");
      return createZoneClock("UTC");
    }
  }
  const clock = zoneClock();
  const fixed = (sizeMs: number): ExportSizing => ({ kind: "fixed", sizeMs, originMs: undefined });
  function time(name: "since" | "to"): number | undefined {
    const text = single(name);
    return text === undefined ? undefined : (timeParameter(text, clock, nowMs) ?? wrong(name, timeForms));
  }
  function bucketSize(): ExportSizing {
    const text = single("bucket");
    if (text === undefined) return fixed(defaultBucketMs);
    const unit = calendarUnits.find((each) => each === text);
    if (unit) return { kind: "calendar", unit, zone: single("zone") ?? "UTC" };
    const ms = durationMs(text);
    if (ms !== undefined && ms > 0 && ms % windowMs === 0) return fixed(ms);
    wrong(
      "bucket",
      `must be a duration such as 10m, 1h or 1d, a multiple of the window size, ${windowMs / 1000} s, or one of ${calendarUnits.join(", ")} of the zone`,
    );
    return fixed(defaultBucketMs);
  }

  const parameters = {
    format: oneOf("format", exportFormats),
    filter: { deviceIds: names("device"), sensors: names("sensor") },
    timeframe: spanOf(time("since"), time("to"), wrong),
    clock,
    hasEndLine: oneOf("end", ["none", "line"]) === "line",
    sizing: kind === "buckets" ? bucketSize() : fixed(defaultBucketMs),
    grouping: kind === "buckets" ? oneOf("group_by", groupings as [Grouping, ...Grouping[]]) : "series",
  } as const;
  if (violations.length > 0) throw invalid(violations);
  return parameters;
}

function spanOf(
  sinceMs = allTime.sinceMs,
  toMs = allTime.toMs,
  wrong: (field: string, description: string) => undefined,
): Span {
  if (sinceMs >= toMs) wrong("since", "must be before to");
  const within = (ms: number): number => Math.min(Math.max(ms, allTime.sinceMs), allTime.toMs);
  return { sinceMs: within(sinceMs), toMs: within(toMs) };
}

function invalid(violations: readonly Violation[]): RpcError {
  return new RpcError({
    code: "INVALID_ARGUMENT",
    message: violations.map(({ field, description }) => `${field}: ${description}`).join("; "),
    details: [{ kind: "badRequest", violations }],
  });
}
