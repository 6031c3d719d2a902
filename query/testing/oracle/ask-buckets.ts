import { ConnectError } from "@connectrpc/connect";
import { millisecondsFloor, protoTimestamp } from "@devicemesh/proto";
import {
  CalendarUnit,
  Fill,
  type ListBucketsResponse,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import {
  type Exam,
  groupByOf,
  type PageRequest,
  pageDifferences,
  refusalDifferences,
  requestOf,
  weightingOf,
} from "./asking.ts";
import { bucketDifferences, coverageDifferences, different, timeOf, timeText } from "./differences.ts";
import type { Oracle, Question } from "./oracle.ts";
import { calendarOracleGrid, fixedOracleGrid, type OracleFill } from "./oracle-buckets.ts";
import type { CallPlan } from "./questions.ts";
import type { ClockUnit } from "./zone-clock.ts";

type BucketsCall = Extract<CallPlan, { kind: "buckets" }>;

/** The maximum share of readings that a chosen timeframe may leave out on each side. */
const outsideShareMax = 0.25;

/** Queries buckets; see `ask`. */
export async function askBuckets(
  { query, oracle, windowMs }: Exam,
  asked: Question,
  call: BucketsCall,
): Promise<string[]> {
  const { grouping, resolution, fill, pages, quantiles = [], maxHoldMs } = call;
  const originMs =
    resolution.kind === "calendar" || call.origin === undefined ? undefined : call.origin * windowMs;
  const fixedMs =
    resolution.kind === "bucket"
      ? affordable({ oracle, question: asked, bucketMs: resolution.windows * windowMs, windowMs })
      : undefined;
  const read = (page: PageRequest) =>
    query.listBuckets({
      ...page,
      ...requestOf(asked),
      groupBy: groupByOf(grouping),
      resolution: resolutionOf(resolution, fixedMs),
      ...(originMs !== undefined && { origin: protoTimestamp(originMs) }),
      // Two equivalent forms.
      fill: fill === "null" || fill === "linear",
      fillMode: fill === "null" ? Fill.UNSPECIFIED : fillOf(fill),
      quantiles: [...quantiles],
      ...weightingOf(maxHoldMs),
    });
  if (oracle.aggregates(asked, grouping).kind === "mixedUnits") {
    const first = await read({ pageSize: 1, pageToken: "" }).catch((error: unknown) =>
      ConnectError.from(error),
    );
    if (first instanceof ConnectError) return refusalDifferences(Promise.reject(first));
    // If readings are left out, the remaining units may no longer mix.
  }
  const isChosen = resolution.kind === "maxPoints" && !(asked.since && asked.to);
  const { chosen, lines: chosenLines } = isChosen
    ? chosenTimeframe(await read({ pageSize: 1, pageToken: "" }), oracle, asked)
    : { chosen: undefined, lines: [] };
  const question = { ...asked, chosen, maxHoldMs };
  const sizeMs =
    resolution.kind === "maxPoints"
      ? oracle.bucketFor(question, { maxPoints: resolution.points, windowMs, originMs })
      : fixedMs;
  const grid =
    resolution.kind === "calendar"
      ? calendarOracleGrid(resolution.unit, resolution.zone || "UTC")
      : fixedOracleGrid(sizeMs as number, originMs);
  const wanted = oracle.buckets(question, grouping, { grid, fill });
  if (wanted.kind === "mixedUnits") return refusalDifferences(read({ pageSize: 0, pageToken: "" }));
  const rest = await pageDifferences(wanted.value, pages, async (page, want) => {
    const { bucket, buckets, coverage, nextPageToken } = await read(page);
    const total = want.reduce((sum, { row }) => sum + row.count, 0);
    const lines = [
      ...different(
        "bucket",
        bucket ? Number(bucket.seconds) * 1000 + bucket.nanos / 1e6 : "unset",
        sizeMs ?? "unset",
      ),
      ...bucketDifferences(buckets, want),
      ...coverageDifferences(coverage, total),
      ...buckets.flatMap(({ row }) =>
        row?.count ? different("number of quantiles", row.quantiles.length, quantiles.length) : [],
      ),
    ];
    return { lines, nextPageToken };
  });
  return [...chosenLines, ...rest];
}

/**
 * Returns the timeframe that the server chose, and its differences from the contract: it leaves out only what it
 * states, only if the query has no bound, and only a small share.
 */
function chosenTimeframe(
  { timeframe, outside }: Pick<ListBucketsResponse, "timeframe" | "outside">,
  oracle: Oracle,
  asked: Question,
): { readonly chosen: NonNullable<Question["chosen"]>; readonly lines: readonly string[] } {
  const chosen = {
    sinceMs: timeframe?.since ? millisecondsFloor(timeframe.since) : Number.NEGATIVE_INFINITY,
    toMs: timeframe?.to ? millisecondsFloor(timeframe.to) : Number.POSITIVE_INFINITY,
  };
  const all = oracle.readings(asked);
  const before = all.filter(({ timestampMs }) => timestampMs < chosen.sinceMs);
  const after = all.filter(({ timestampMs }) => timestampMs >= chosen.toMs);
  const stated = outside.map(({ count, first, last }) => `${count} from ${timeOf(first)} to ${timeOf(last)}`);
  const wanted = [before, after]
    .filter((readings) => readings.length > 0)
    .map(
      (readings) =>
        `${readings.length} from ${timeText(readings[0]?.timestampMs ?? 0)} to ${timeText(readings.at(-1)?.timestampMs ?? 0)}`,
    );
  const isBroken =
    (asked.since !== undefined && before.length > 0) ||
    (asked.to !== undefined && after.length > 0) ||
    Math.max(before.length, after.length) > outsideShareMax * all.length;
  return {
    chosen,
    lines: [
      ...different("outside", stated.join("; "), wanted.join("; ")),
      ...(isBroken ? [`outside: ${stated.join("; ")} of ${all.length} readings are not to be left out`] : []),
    ],
  };
}

function resolutionOf(resolution: BucketsCall["resolution"], fixedMs: number | undefined) {
  switch (resolution.kind) {
    case "bucket":
      return { case: "bucket" as const, value: durationOf(fixedMs ?? 0) };
    case "maxPoints":
      return { case: "maxPoints" as const, value: resolution.points };
    case "calendar":
      return {
        case: "calendar" as const,
        value: { unit: unitOf(resolution.unit), timeZone: resolution.zone },
      };
  }
}

function unitOf(unit: ClockUnit): CalendarUnit {
  return {
    hour: CalendarUnit.HOUR,
    day: CalendarUnit.DAY,
    week: CalendarUnit.WEEK,
    month: CalendarUnit.MONTH,
    quarter: CalendarUnit.QUARTER,
    year: CalendarUnit.YEAR,
  }[unit];
}

function fillOf(fill: OracleFill): Fill {
  return { none: Fill.NONE, null: Fill.NULL, previous: Fill.PREVIOUS, linear: Fill.LINEAR }[fill];
}

/** Returns the bucket size, or a larger one of which the timeframe has few enough. */
function affordable(options: {
  readonly oracle: Oracle;
  readonly question: Question;
  readonly bucketMs: number;
  readonly windowMs: number;
}): number {
  const { oracle, question, bucketMs, windowMs } = options;
  return Math.max(bucketMs, oracle.bucketFor(question, { maxPoints: 1000, windowMs }));
}

function durationOf(ms: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}
