import fc from "fast-check";
import type { Bound, OracleGrouping, Question } from "./oracle.ts";
import type { OracleFill } from "./oracle-buckets.ts";
import { deviceIds, type MomentPlan, momentOf, momentPlans, sensorNames } from "./streams.ts";
import type { ClockUnit } from "./zone-clock.ts";

/** Zones whose clocks change by an hour in spring and autumn or in autumn and spring, by half an hour, and never. */
const questionZones = [
  "",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Asia/Kolkata",
  "Asia/Kathmandu",
] as const;

type BoundPlan = { readonly moment: MomentPlan; readonly nanos: number };

/** A query to be built for any current time. */
export type QuestionPlan = {
  readonly deviceIds: readonly string[];
  readonly sensors: readonly string[];
  readonly bounds: readonly [BoundPlan | undefined, BoundPlan | undefined];
  readonly call: CallPlan;
};

/** The method of the query, and its options. */
export type CallPlan =
  | {
      readonly kind: "aggregates";
      readonly grouping: OracleGrouping;
      readonly pages?: number;
      readonly quantiles?: readonly number[];
      readonly maxHoldMs?: number | undefined;
    }
  | {
      readonly kind: "buckets";
      readonly grouping: OracleGrouping;
      readonly resolution:
        | { readonly kind: "bucket"; readonly windows: number }
        | { readonly kind: "maxPoints"; readonly points: number }
        | { readonly kind: "calendar"; readonly unit: ClockUnit; readonly zone: string };
      /** In windows since 1970; the contract's default if left out. */
      readonly origin?: number | undefined;
      readonly fill: OracleFill;
      /** Number of pages in which the answer is requested; 1 by default. */
      readonly pages?: number;
      readonly quantiles?: readonly number[];
      readonly maxHoldMs?: number | undefined;
    }
  | { readonly kind: "readings"; readonly newestFirst: boolean; readonly pageSize: number }
  | { readonly kind: "exports"; readonly grouping: OracleGrouping; readonly windows: number };

/** Any filter (including unknown names), any range (open, aligned, unaligned, below the millisecond), any method. */
export function questionPlans(): fc.Arbitrary<QuestionPlan> {
  const grouping = fc.constantFrom<OracleGrouping>("series", "sensor", "device", "all");
  const pages = fc.constantFrom(1, 1, 1, 1, 3);
  const quantiles = fc.constantFrom([], [], [0.5, 0.9, 0.99], [0, 0.123, 1]);
  const maxHoldMs = fc.constantFrom(undefined, undefined, 1, 7001, 600_000, 86_400_000, 366 * 86_400_000);
  const bound = fc.option(
    fc.record({
      moment: momentPlans(),
      nanos: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 999_999 })),
    }),
    { nil: undefined, freq: 4 },
  );
  const resolution = fc.oneof(
    fc.record({
      kind: fc.constant("bucket" as const),
      // In units of 10 s: some divide the levels, and some do not.
      windows: fc.constantFrom(1, 2, 3, 6, 7, 60, 90, 120, 360, 8640, 60_480),
    }),
    fc.record({
      kind: fc.constant("maxPoints" as const),
      points: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 500 })),
    }),
    fc.record({
      kind: fc.constant("calendar" as const),
      unit: fc.constantFrom<ClockUnit>("hour", "day", "week", "month", "quarter", "year"),
      zone: fc.constantFrom(...questionZones),
    }),
  );
  const call: fc.Arbitrary<CallPlan> = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("aggregates" as const),
        grouping,
        pages,
        quantiles,
        maxHoldMs,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("buckets" as const),
        grouping,
        resolution,
        origin: fc.option(fc.integer({ min: -100_000, max: 100_000 }), { nil: undefined, freq: 2 }),
        fill: fc.constantFrom<OracleFill>("none", "none", "null", "null", "previous", "linear"),
        pages,
        quantiles,
        maxHoldMs,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("readings" as const),
        newestFirst: fc.boolean(),
        pageSize: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(0, 1000)),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("exports" as const),
        grouping,
        windows: fc.constantFrom(1, 6, 7, 60, 360, 8640),
      }),
    },
  );
  const some = (names: readonly string[]) =>
    fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) },
      fc.uniqueArray(fc.constantFrom(...names), { maxLength: 4 }),
    );
  return fc.record({
    deviceIds: some([...deviceIds, "unknown", "it's 100% _odd_; --"]),
    // Often one sensor, because groups over several mix units.
    sensors: fc.oneof(
      fc.constantFrom(["temperature"], ["pressure"]),
      some([...new Set(sensorNames), "unknown"]),
    ),
    bounds: fc.tuple(bound, bound),
    call,
  });
}

/** Returns the query of a plan; since is before to. */
export function questionOf(plan: QuestionPlan, nowMs: number, known: readonly number[]): Question {
  const [first, second] = plan.bounds.map(
    (bound): Bound | undefined => bound && { ms: momentOf(bound.moment, nowMs, known), nanos: bound.nanos },
  );
  const filter = { deviceIds: plan.deviceIds, sensors: plan.sensors };
  if (!first || !second) return { ...filter, since: first, to: second };
  const difference = first.ms - second.ms || first.nanos - second.nanos;
  if (difference === 0) return { ...filter, since: first, to: { ...first, ms: first.ms + 1 } };
  return difference < 0 ? { ...filter, since: first, to: second } : { ...filter, since: second, to: first };
}
