import { millisecondsFloor, type ProtoTimestamp } from "@devicemesh/proto";
import type { AggregateRow, Bucket, Coverage } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import type { EmptyRow, Estimate, OracleBucket, OracleRow } from "./oracle.ts";
import type { OracleTimeWeighted } from "./oracle-time-weighted.ts";

/**
 * Tolerances of numbers relative to the oracle's. Sum and average are relative to the sum of |value| (for the average
 * divided by the count), so that a sum with cancellation need not have digits that its terms do not have. The standard
 * deviation is relative to max(1, itself). Everything else must be equal.
 */
export const tolerances = { sum: 1e-12, standardDeviation: 1e-9 } as const;

/** Returns the differences of rows, one on each line. */
export function rowDifferences(got: readonly AggregateRow[], wanted: readonly OracleRow[]): string[] {
  return [
    ...different("number of rows", got.length, wanted.length),
    ...wanted.flatMap((want, place) => {
      const row = got[place];
      return row ? aggregateDifferences(`rows[${place}]`, row, want) : [];
    }),
  ];
}

/** Returns the differences of buckets, one on each line. */
export function bucketDifferences(got: readonly Bucket[], wanted: readonly OracleBucket[]): string[] {
  return [
    ...different("number of buckets", got.length, wanted.length),
    ...wanted.flatMap((want, place) => {
      const bucket = got[place];
      if (!bucket) return [];
      const at = `buckets[${place}]`;
      return [
        ...different(`${at}.start`, timeOf(bucket.start), timeText(want.startMs)),
        ...different(`${at}.end`, timeOf(bucket.end), timeText(want.endMs)),
        ...(bucket.row ? aggregateDifferences(`${at}.row`, bucket.row, want.row) : [`${at}.row is not set`]),
      ];
    }),
  ];
}

/** Returns the problems of the coverage of an answer over `total` readings, none of which has expired. */
export function coverageDifferences(coverage: Coverage | undefined, total: number): string[] {
  if (!coverage) return ["coverage is not set"];
  const { fromWindows, fromRaw, notCovered, completeThrough, frontier } = coverage;
  const ahead =
    completeThrough && frontier && millisecondsFloor(frontier) > millisecondsFloor(completeThrough);
  return [
    ...different("from_windows + from_raw", Number(fromWindows + fromRaw), total),
    ...different("number of spans not covered", notCovered.length, 0),
    ...(completeThrough ? [] : ["complete_through is not set"]),
    ...(ahead ? [`frontier ${timeOf(frontier)} is after complete_through ${timeOf(completeThrough)}`] : []),
  ];
}

/** Returns a line if two values differ. */
export function different(what: string, got: string | number, wanted: string | number): string[] {
  return got === wanted ? [] : [`${what}: got ${got}, wanted ${wanted}`];
}

/** A time as text. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

/** A timestamp as text, to the nanosecond. */
export function timeOf(timestamp: ProtoTimestamp | undefined): string {
  if (!timestamp) return "unset";
  const text = timeText(millisecondsFloor(timestamp));
  return timestamp.nanos % 1_000_000 === 0 ? text : `${text} + ${timestamp.nanos % 1_000_000} ns`;
}

function aggregateDifferences(at: string, got: AggregateRow, want: OracleRow | EmptyRow): string[] {
  const group = [
    ...different(`${at}.device_id`, got.deviceId, want.deviceId),
    ...different(`${at}.sensor`, got.sensor, want.sensor),
    ...different(`${at}.unit`, got.unit, want.unit),
    ...different(`${at}.count`, Number(got.count), want.count),
    ...timeWeightedDifferences(`${at}.time_weighted_average`, got.timeWeightedAverage, want.timeWeighted),
  ];
  if (!("magnitude" in want)) return [...group, ...emptyDifferences(at, got, want)];
  const { magnitude, count } = want;
  // With readings every figure is set; NaN is far from everything.
  const [sum, average, minimum, maximum, standardDeviation] = [
    got.sum ?? Number.NaN,
    got.average ?? Number.NaN,
    got.minimum ?? Number.NaN,
    got.maximum ?? Number.NaN,
    got.standardDeviation ?? Number.NaN,
  ];
  return [
    ...group,
    ...far(`${at}.sum`, sum, want.sum, tolerances.sum * magnitude),
    ...far(`${at}.average`, average, want.average, (tolerances.sum * magnitude) / count),
    ...far(
      `${at}.standard_deviation`,
      standardDeviation,
      want.standardDeviation,
      tolerances.standardDeviation * Math.max(1, want.standardDeviation),
    ),
    ...(average < minimum || average > maximum
      ? [`${at}.average: ${average} is not within ${minimum} to ${maximum}`]
      : []),
    ...(want.minimum === want.maximum ? different(`${at}.standard_deviation`, standardDeviation, 0) : []),
    ...quantileDifferences(at, got, want.sorted),
    ...different(`${at}.minimum`, minimum, want.minimum),
    ...different(`${at}.maximum`, maximum, want.maximum),
    ...different(`${at}.minimum_at`, timeOf(got.minimumAt), timeText(want.minimumAtMs)),
    ...different(`${at}.maximum_at`, timeOf(got.maximumAt), timeText(want.maximumAtMs)),
    ...different(`${at}.first.timestamp`, timeOf(got.first?.timestamp), timeText(want.firstAtMs)),
    ...different(`${at}.first.value`, got.first?.value ?? Number.NaN, want.firstValue),
    ...different(`${at}.last.timestamp`, timeOf(got.last?.timestamp), timeText(want.lastAtMs)),
    ...different(`${at}.last.value`, got.last?.value ?? Number.NaN, want.lastValue),
  ];
}

/**
 * Each quantile must be the interpolation between the sorted values next to its rank, within the error that it states;
 * 0 and 1 are always exact.
 */
function quantileDifferences(at: string, { quantiles }: AggregateRow, sorted: readonly number[]): string[] {
  return quantiles.flatMap(({ quantile, value, relativeError }) => {
    const rank = quantile * (sorted.length - 1);
    const [below, above] = [sorted[Math.floor(rank)] as number, sorted[Math.ceil(rank)] as number];
    const wanted = below * (1 - (rank % 1)) + above * (rank % 1);
    const stated = relativeError * Math.max(Math.abs(below), Math.abs(above));
    const rounding = 1e-9 * Math.max(1, Math.abs(wanted));
    const isEnd = quantile === 0 || quantile === 1;
    return [
      ...far(`${at}.quantiles of ${quantile}`, value, wanted, stated + rounding),
      ...(relativeError === 0 || (relativeError === 1 / 512 && !isEnd)
        ? []
        : [`${at}.quantiles of ${quantile}: its error is ${relativeError}`]),
    ];
  });
}

/** The tolerance is that of an average, relative to the average of |value|. */
function timeWeightedDifferences(
  at: string,
  got: AggregateRow["timeWeightedAverage"],
  want: OracleTimeWeighted | undefined,
): string[] {
  if (!got || !want) return different(at, got ? "set" : "unset", want ? "set" : "unset");
  return [
    ...far(`${at}.value`, got.value, want.value, tolerances.sum * want.magnitude),
    ...different(`${at}.covered_seconds`, got.coveredSeconds, want.coveredMs / 1000),
  ];
}

/** An empty bucket has its group, its fill values, and nothing else. */
function emptyDifferences(at: string, got: AggregateRow, { estimate }: EmptyRow): string[] {
  if (estimate) {
    const close = (name: keyof Estimate): string[] =>
      far(
        `${at}.${name}`,
        got[name] ?? Number.NaN,
        estimate[name],
        1e-9 * Math.max(1, Math.abs(estimate[name])),
      );
    const { average: _a, minimum: _b, maximum: _c, ...rest } = got;
    const bare: AggregateRow = rest;
    return [
      ...close("average"),
      ...close("minimum"),
      ...close("maximum"),
      ...emptyDifferences(at, bare, { deviceId: "", sensor: "", unit: "", count: 0 }),
    ];
  }
  const figures = [got.sum, got.average, got.minimum, got.maximum, got.standardDeviation];
  const moments = [got.first, got.last, got.minimumAt, got.maximumAt];
  return [...figures, ...moments].some((value) => value !== undefined)
    ? [`${at}: an empty bucket has values`]
    : [];
}

function far(what: string, got: number, wanted: number, tolerance: number): string[] {
  // Written so that NaN is far from everything.
  return Math.abs(got - wanted) <= tolerance ? [] : [`${what}: got ${got}, wanted ${wanted} ± ${tolerance}`];
}
