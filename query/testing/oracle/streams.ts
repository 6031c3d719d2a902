import {
  clockAheadMaxMs,
  type DeviceMessage,
  earliestTimestampMs,
  type SensorName,
  sensors,
} from "@devicemesh/proto";
import fc from "fast-check";

/** A time relative to other times, so that it can be built for any current time. */
export type MomentPlan =
  | { readonly kind: "fromNow"; readonly offsetMs: number }
  | { readonly kind: "border"; readonly sizeMs: number; readonly count: number; readonly shiftMs: number }
  | { readonly kind: "again"; readonly place: number };

/** A reading to be built; a duplicate has the identity of an earlier one, and its value or another. */
export type ReadingPlan =
  | {
      readonly kind: "reading";
      readonly deviceId: string;
      readonly sensor: SensorName;
      readonly moment: MomentPlan;
      /** 0 to 1: the position in the sensor's range. */
      readonly value: ValuePlan;
    }
  | { readonly kind: "repeat"; readonly place: number; readonly conflict: boolean };

type ValuePlan =
  | { readonly kind: "anywhere"; readonly share: number }
  | { readonly kind: "close"; readonly step: number };

/** Names whose order by UTF-16 code units differs from alphabetical order; one is a prefix of another. */
export const deviceIds = ["a", "B", "b", "dev-1", "dev-10", "dev-2", "z:9._-"] as const;

const windowSizes = [1000, 10_000, 600_000, 3_600_000, 86_400_000];

/** Times close to now, at the boundaries of windows, late by days, up to a day ahead, and equal ones. */
export function momentPlans(): fc.Arbitrary<MomentPlan> {
  return fc.oneof(
    { weight: 3, arbitrary: fromNow(-30_000, 2000) },
    { weight: 1, arbitrary: fromNow(-40 * 86_400_000, 86_400_000) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("border" as const),
        sizeMs: fc.constantFrom(...windowSizes),
        count: fc.integer({ min: -4, max: 2 }),
        shiftMs: fc.constantFrom(-1, 0, 0, 1, 10_000, -600_000),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("again" as const), place: fc.nat(500) }) },
  );
}

/** The sensors with a device type; the first one twice as often. */
export const sensorNames: readonly [SensorName, ...SensorName[]] = [
  sensors[0]!.sensor,
  ...sensors.map(({ sensor }) => sensor),
];

/** Readings of a few devices: any order, equal times across devices, duplicates and conflicts. */
export function readingPlans(): fc.Arbitrary<ReadingPlan> {
  const value = fc.oneof(
    fc.record({
      kind: fc.constant("anywhere" as const),
      share: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1)),
    }),
    // A few different values close together: ties, and deviations far below the average.
    fc.record({ kind: fc.constant("close" as const), step: fc.integer({ min: -3, max: 3 }) }),
  );
  const reading = fc.record({
    kind: fc.constant("reading" as const),
    deviceId: fc.constantFrom(...deviceIds),
    sensor: fc.constantFrom(...sensorNames),
    moment: momentPlans(),
    value,
  });
  const repeat = fc.record({
    kind: fc.constant("repeat" as const),
    place: fc.nat(500),
    conflict: fc.boolean(),
  });
  return fc.oneof({ weight: 8, arbitrary: reading }, { weight: 1, arbitrary: repeat });
}

/** Returns the time of a plan, ms since 1970. `known` are the timestamps of the readings so far. */
export function momentOf(plan: MomentPlan, nowMs: number, known: readonly number[]): number {
  switch (plan.kind) {
    case "fromNow":
      return nowMs + plan.offsetMs;
    case "border":
      return nowMs - (nowMs % plan.sizeMs) + plan.count * plan.sizeMs + plan.shiftMs;
    case "again":
      return known[plan.place % Math.max(known.length, 1)] ?? nowMs;
  }
}

/** Returns the reading of a plan. `sent` are the readings so far; a duplicate without an original is undefined. */
export function readingOf(
  plan: ReadingPlan,
  nowMs: number,
  sent: readonly DeviceMessage[],
): DeviceMessage | undefined {
  if (plan.kind === "repeat") {
    const earlier = sent[plan.place % Math.max(sent.length, 1)];
    return earlier && { ...earlier, value: plan.conflict ? otherValue(earlier) : earlier.value };
  }
  const { deviceId, sensor } = plan;
  const known = sent.map(({ timestampMs }) => timestampMs);
  const latestMs = nowMs + clockAheadMaxMs;
  const timestampMs = Math.max(Math.min(momentOf(plan.moment, nowMs, known), latestMs), earliestTimestampMs);
  return { deviceId, sensor, timestampMs, value: valueIn(plan.value, sensor) };
}

function fromNow(min: number, max: number): fc.Arbitrary<MomentPlan> {
  return fc.record({ kind: fc.constant("fromNow" as const), offsetMs: fc.integer({ min, max }) });
}

function rangeOf(sensor: SensorName): { minimum: number; maximum: number } {
  const spec = sensors.find((candidate) => candidate.sensor === sensor);
  if (!spec) throw new Error(`no sensor ${sensor}`);
  return spec;
}

function valueIn(plan: ValuePlan, sensor: SensorName): number {
  const { minimum, maximum } = rangeOf(sensor);
  if (plan.kind === "anywhere") {
    return Math.min(Math.max(minimum + plan.share * (maximum - minimum), minimum), maximum);
  }
  return (sensor === "pressure" ? 1013.25 : 21.5) + plan.step * 0.01;
}

function otherValue({ sensor, value }: DeviceMessage): number {
  const { minimum, maximum } = rangeOf(sensor);
  return value > minimum ? (value + minimum) / 2 : maximum;
}
