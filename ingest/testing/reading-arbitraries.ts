import { create } from "@bufbuild/protobuf";
import { clockAheadMaxMs, earliestTimestampMs, type SensorSpec, sensors } from "@devicemesh/proto";
import {
  type Reading,
  ReadingSchema,
  SensorValueSchema,
} from "@devicemesh/proto/es/devicemesh/v1/reading_pb.ts";
import fc from "fast-check";

/** For property tests: the time around which the boundaries of readings lie. */
export const nowMs = Date.UTC(2026, 10, 23, 20, 4, 22, 123);

const goodDeviceId = fc.stringMatching(/^[A-Za-z0-9_%][A-Za-z0-9_.:/@~=%-]{0,20}$/);
const deviceId = fc.oneof(
  { weight: 12, arbitrary: goodDeviceId },
  fc.constantFrom(0, 1, 2, 127, 128, 129).map((length) => "d".repeat(length)),
  fc
    .tuple(goodDeviceId, fc.string({ unit: "binary", minLength: 1, maxLength: 1 }), goodDeviceId)
    .map((parts) => parts.join("")),
  fc.constantFrom(
    ".a",
    "-a",
    ":a",
    "_a",
    "a_",
    "a b",
    " a",
    "a\n",
    "\na",
    "a\0",
    "ä",
    "aé",
    "a٠",
    "Ａ",
    "a/b",
    "/a",
    "@a",
    "%a",
    "a+b",
    "a@b",
    "😀",
  ),
  fc.string({ unit: "grapheme", maxLength: 6 }),
);

const borderSeconds = [earliestTimestampMs, nowMs, nowMs + clockAheadMaxMs].map((ms) =>
  BigInt(Math.floor(ms / 1000)),
);
const seconds = fc.oneof(
  { weight: 8, arbitrary: fc.bigInt({ min: borderSeconds[0]!, max: borderSeconds[2]! }) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...borderSeconds), fc.constantFrom(-1n, 0n, 1n))
      .map(([s, off]) => s + off),
  },
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(
    0n,
    -1n,
    2n ** 53n,
    2n ** 53n + 1n,
    -(2n ** 53n) - 1n,
    253402300799n,
    253402300800n,
    -62135596801n,
  ),
);
const nanos = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 999_999_999 }) },
  { weight: 4, arbitrary: fc.constantFrom(0, 1, 122_999_999, 123_000_000, 123_000_001, 999_999_999) },
  fc.constantFrom(-1, 1_000_000_000, -1_000_000_000, 2 ** 31 - 1, -(2 ** 31)),
);
const timestamp = fc.oneof({ weight: 12, arbitrary: fc.record({ seconds, nanos }) }, fc.constant(undefined));

const typedMeasurement = fc
  .constantFrom(...sensors)
  .chain((sensor) => anyValueOf(sensor).map((value) => measurementOf(sensor, value)));

const namedMeasurement = fc
  .constantFrom(...sensors)
  .chain((sensor) =>
    fc.record({
      sensor: fc.oneof(
        { weight: 6, arbitrary: fc.constant(sensor.sensor) },
        { weight: 2, arbitrary: fc.constant("mood") },
        fc.constantFrom(
          "mood",
          "co2",
          "air_temperature",
          "a".repeat(64),
          "a".repeat(65),
          "",
          "-a",
          "_a",
          "a b",
          "a|b",
          "ä",
          "temperature\n",
        ),
      ),
      value: anyValueOf(sensor),
    }),
  )
  .map(({ sensor, value }): Reading["measurement"] => ({
    case: "sensorValue",
    value: create(SensorValueSchema, value === undefined ? { sensor } : { sensor, value }),
  }));

const measurement = fc.oneof(
  { weight: 16, arbitrary: typedMeasurement },
  { weight: 8, arbitrary: namedMeasurement },
  fc.constant(undefined),
);

/** Readings that satisfy or break any of the rules, often at the boundary. */
export const anyReading: fc.Arbitrary<Reading> = fc
  .tuple(deviceId, timestamp, measurement)
  .map(([id, time, measured]) =>
    create(ReadingSchema, {
      deviceId: id,
      ...(time && { timestamp: time }),
      ...(measured && { measurement: measured }),
    }),
  );

function anyValueOf({ minimum, maximum }: SensorSpec): fc.Arbitrary<number | undefined> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.double({ min: minimum, max: maximum, noNaN: true }) },
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        ...[minimum, maximum].flatMap((bound) => [nextBelow(bound), bound, nextAbove(bound)]),
      ),
    },
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
        0,
        -0,
        Number.MIN_VALUE,
        -Number.MIN_VALUE,
      ),
    },
    fc.double(),
    // A measurement without its value.
    { weight: 2, arbitrary: fc.constant(undefined) },
  );
}

function measurementOf(sensor: SensorSpec, value: number | undefined): Reading["measurement"] {
  const field = ReadingSchema.oneofs[0]!.fields.find(({ number }) => number === sensor.measurementField)!;
  const name = field.message!.fields[0]!.localName;
  return {
    case: field.localName,
    value: value === undefined ? {} : { [name]: value },
  } as unknown as Reading["measurement"];
}

function nextAbove(value: number): number {
  if (value === 0) return Number.MIN_VALUE;
  const bits = new BigInt64Array(Float64Array.of(value).buffer);
  bits[0]! += value > 0 ? 1n : -1n;
  return new Float64Array(bits.buffer)[0]!;
}

function nextBelow(value: number): number {
  return -nextAbove(-value);
}
