import { sensors } from "@devicemesh/proto";
import fc from "fast-check";

/** Frames as bytes, in every legal encoding and some illegal ones; for property tests. */

/** The field number of Reading.sensor_value. */
const sensorValueField = 15;

const measurementFields = [...sensors.map((sensor) => sensor.measurementField), sensorValueField];

/** A number as a varint of at least `bytesMin` bytes: longer than needed is legal. */
export function varintBytes(value: bigint, bytesMin = 1): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    bytes.push(Number(rest & 0x7fn));
    rest >>= 7n;
  } while (rest > 0n || bytes.length < bytesMin);
  return Buffer.from(bytes.map((byte, i) => (i < bytes.length - 1 ? byte | 0x80 : byte)));
}

/** A field's tag. */
export function tagBytes(field: number, wireType: number, bytesMin = 1): Buffer {
  return varintBytes(BigInt(field * 8 + wireType), bytesMin);
}

/** A length-delimited field. */
export function lengthDelimited(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([tagBytes(field, 2), varintBytes(BigInt(bytes.length)), bytes]);
}

/** A number as a field. */
export function varintField(field: number, value: bigint): Buffer {
  return Buffer.concat([tagBytes(field, 0), varintBytes(value)]);
}

/** A double as a field. */
export function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([tagBytes(field, 1), bytes]);
}

/** Device ids: valid, nearly valid, and any bytes. */
export const deviceIdBytes: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.stringMatching(/^[A-Za-z0-9_%][A-Za-z0-9_.:/@~=%-]{0,40}$/).map((id) => Buffer.from(id)),
  },
  fc.constantFrom(1, 127, 128, 129, 300).map((length) => Buffer.alloc(length, "d")),
  fc.string({ unit: "grapheme", maxLength: 8 }).map((id) => Buffer.from(id)),
  fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
);

const anyInt64 = fc.oneof(
  fc.bigInt({ min: 946_684_000n, max: 2_000_000_000n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const anyInt32 = fc.oneof(fc.integer({ min: 0, max: 999_999_999 }), fc.integer());
const overlong = fc.oneof({ weight: 8, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 5 }));

/** Unknown field numbers, and sometimes known ones with a foreign wire type. */
const unknownField: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 7, max: 2 ** 29 - 1 })),
    fc.nat(5),
    fc.uint8Array({ maxLength: 9 }),
  )
  .map(([field, kind, bytes]) => {
    const content = Buffer.from(bytes);
    if (kind === 0 && field > 2) return varintField(field, BigInt(content.length) << 40n);
    if (kind === 1 && field > 2) return Buffer.concat([tagBytes(field, 1), Buffer.alloc(8, 7)]);
    if (kind === 2 && field > 2 && !measurementFields.includes(field)) return lengthDelimited(field, content);
    if (kind === 3) return Buffer.concat([tagBytes(field, 5), Buffer.alloc(4, 7)]);
    const inner =
      kind === 4
        ? varintField(1, 5n)
        : Buffer.concat([tagBytes(3, 3), lengthDelimited(2, content), tagBytes(3, 4)]);
    return Buffer.concat([tagBytes(field, 3), inner, tagBytes(field, 4)]);
  });

function message(fields: fc.Arbitrary<Buffer>, maxLength: number): fc.Arbitrary<Buffer> {
  return fc
    .array(fc.oneof({ weight: 8, arbitrary: fields }, unknownField), { maxLength })
    .map((parts) => Buffer.concat(parts));
}

function field(number: number, content: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(content, overlong, overlong)
    .map(([bytes, tag, length]) =>
      Buffer.concat([tagBytes(number, 2, tag), varintBytes(BigInt(bytes.length), length), bytes]),
    );
}

const timestamp = message(
  fc.oneof(
    fc
      .tuple(anyInt64, overlong)
      .map(([seconds, more]) => Buffer.concat([tagBytes(1, 0), varintBytes(seconds, more)])),
    anyInt32.map((nanos) => varintField(2, BigInt(nanos))),
    // An int32 may have bits above the 32nd: they are dropped.
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((nanos) => varintField(2, nanos)),
  ),
  3,
);

const measurement = message(
  fc.double().map((value) => doubleField(1, value)),
  2,
);

/** Names of sensors: known, unknown, and not valid. */
const sensorNameBytes: fc.Arbitrary<Buffer> = fc.oneof(
  fc
    .constantFrom(
      "temperature",
      "heart_rate",
      "co2",
      "air_temperature",
      "",
      "a b",
      "x".repeat(64),
      "x".repeat(300),
    )
    .map((name) => Buffer.from(name)),
  fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}$/).map((name) => Buffer.from(name)),
  fc.uint8Array({ maxLength: 5 }).map((bytes) => Buffer.from(bytes)),
);

const sensorValue = message(
  fc.oneof(
    field(1, sensorNameBytes),
    fc.double().map((value) => doubleField(2, value)),
  ),
  3,
);

/** Readings with fields in any order and number. */
export const readingBytes: fc.Arbitrary<Buffer> = message(
  fc.oneof(
    field(1, deviceIdBytes),
    field(2, timestamp),
    ...measurementFields.map((number) =>
      field(number, number === sensorValueField ? sensorValue : measurement),
    ),
  ),
  6,
);

/** Legal frames. */
export const frameBytes: fc.Arbitrary<Buffer> = message(field(1, readingBytes), 5);

/** Frames with some bytes changed, lost, added or cut off. */
export const brokenFrameBytes: fc.Arbitrary<Buffer> = fc
  .tuple(frameBytes, fc.array(fc.tuple(fc.nat(3), fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }))
  .map(([frame, changes]) => {
    let bytes = [...frame];
    for (const [kind, where, byte] of changes) {
      const place = where % (bytes.length + 1);
      if (kind === 0) bytes[place] = byte;
      else if (kind === 1) bytes.splice(place, 1);
      else if (kind === 2) bytes.splice(place, 0, byte);
      else bytes = bytes.slice(0, place);
    }
    return Buffer.from(bytes);
  });
