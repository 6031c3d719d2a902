import fc from "fast-check";
import { type CallPlan, type QuestionPlan, questionPlans } from "./questions.ts";
import { type ReadingPlan, readingPlans } from "./streams.ts";

/** The events of an engine, in order. */
export type Step =
  | { readonly kind: "publish"; readonly readings: readonly ReadingPlan[] }
  | { readonly kind: "fold" }
  | { readonly kind: "advance"; readonly ms: number }
  | { readonly kind: "advanceToBorder"; readonly sizeMs: number }
  | { readonly kind: "ask"; readonly questions: readonly QuestionPlan[] };

/** One reading, just now. */
export const plainReading: ReadingPlan = {
  kind: "reading",
  deviceId: "a",
  sensor: "temperature",
  moment: { kind: "fromNow", offsetMs: -1 },
  value: { kind: "anywhere", share: 0.25 },
};

/** Readings of three devices over some minutes, several of each in some windows. */
export const manyReadings: readonly ReadingPlan[] = Array.from({ length: 40 }, (_, place) => ({
  kind: "reading",
  deviceId: ["a", "b", "B"][place % 3] as string,
  sensor: "temperature",
  moment: { kind: "fromNow", offsetMs: -place * place * 401 },
  value: { kind: "close", step: (place % 7) - 3 },
}));

/** One of them sent again; every fourth with another value. */
export function sentAgain(_reading: ReadingPlan, place: number): ReadingPlan {
  return { kind: "repeat", place, conflict: place % 4 === 0 };
}

const berlinDays = { kind: "calendar", unit: "day", zone: "Europe/Berlin" } as const;

/** Queries everything, in every way. */
export function everyCall(): Step {
  const calls: CallPlan[] = [
    { kind: "aggregates", grouping: "series", quantiles: [0, 0.3, 0.5, 0.99, 1] },
    { kind: "aggregates", grouping: "all", maxHoldMs: 60_000 },
    {
      kind: "buckets",
      grouping: "device",
      resolution: { kind: "bucket", windows: 6 },
      fill: "null",
      maxHoldMs: 90_000,
    },
    { kind: "buckets", grouping: "sensor", resolution: { kind: "maxPoints", points: 1 }, fill: "none" },
    { kind: "buckets", grouping: "series", resolution: berlinDays, fill: "linear" },
    { kind: "readings", newestFirst: true, pageSize: 1 },
    { kind: "exports", grouping: "series", windows: 1 },
  ];
  const bounds = [undefined, undefined] as const;
  return { kind: "ask", questions: calls.map((call) => ({ deviceIds: [], sensors: [], bounds, call })) };
}

/** Any step: readings, folding, passing time, queries. */
export function steps(): fc.Arbitrary<Step> {
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("publish" as const),
        readings: fc.array(readingPlans(), { minLength: 0, maxLength: 40, size: "max" }),
      }),
    },
    { weight: 3, arbitrary: fc.constant({ kind: "fold" as const }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("advance" as const),
        ms: fc.constantFrom(1, 999, 10_000, 25_000, 600_000, 3_600_000, 86_400_000, 3 * 86_400_000),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("advanceToBorder" as const),
        sizeMs: fc.constantFrom(10_000, 10_000, 600_000, 86_400_000),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("ask" as const),
        questions: fc.array(questionPlans(), { minLength: 1, maxLength: 3 }),
      }),
    },
  );
}
