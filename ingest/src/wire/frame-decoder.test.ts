import { fromBinary } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { createSensorCatalog, type SensorSpec, sensors } from "@devicemesh/proto";
import { PublishReadingsRequestSchema } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import { ReadingSchema, SensorValueSchema } from "@devicemesh/proto/es/devicemesh/v1/reading_pb.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  brokenFrameBytes,
  doubleField,
  frameBytes,
  lengthDelimited,
  tagBytes,
  varintBytes,
  varintField,
} from "../../testing/frame-bytes.ts";
import { decodeByTheBook } from "../../testing/frame-decoder.oracle.ts";
import {
  esRow,
  hasBadUtf8,
  isUtf8,
  oracleRows,
  rowsOf,
  tsProtoRows,
  withShortIds,
} from "../../testing/frame-rows.ts";
import { createFrameDecoder } from "./frame-decoder.ts";
import { createDeviceIds } from "./wire.ts";

const decode = createFrameDecoder({ deviceIds: createDeviceIds({ slots: 64 }) });
const measurementFields = sensors.map((sensor) => sensor.measurementField);
const runs = { numRuns: 5000 };

describe("the frame decoder", () => {
  it("reads every legal frame according to the specification", () => {
    fc.assert(
      fc.property(frameBytes, (frame) => {
        const expected = decodeByTheBook(frame, measurementFields);
        expect(expected.kind).toBe("readings");
        expect(rowsOf(decode(frame))).toEqual(oracleRows(expected));
      }),
      runs,
    );
  });

  it("reads or rejects broken frames according to the specification", () => {
    let refused = 0;
    fc.assert(
      fc.property(brokenFrameBytes, (frame) => {
        const expected = decodeByTheBook(frame, measurementFields);
        if (expected.kind === "refused") refused++;
        expect(rowsOf(decode(frame))).toEqual(oracleRows(expected));
      }),
      runs,
    );
    expect(refused).toBeGreaterThan(runs.numRuns / 10);
  });

  it("reads a frame with any one byte changed according to the specification", () => {
    const one = reading(
      lengthDelimited(1, Buffer.from("device")),
      lengthDelimited(2, Buffer.concat([varintField(1, 1_795_464_262n), varintField(2, 999_000_000n)])),
      lengthDelimited(3, doubleField(1, 21.5)),
      Buffer.concat([tagBytes(9, 3), varintField(1, 300n), tagBytes(9, 4)]),
    );
    const named = reading(
      lengthDelimited(15, Buffer.concat([lengthDelimited(1, Buffer.from("humidity")), doubleField(2, 40)])),
    );
    const frame = Buffer.concat([one, named]);
    for (let place = 0; place < frame.length; place++) {
      for (let byte = 0; byte < 256; byte++) {
        const changed = Buffer.from(frame);
        changed[place] = byte;
        expect(rowsOf(decode(changed))).toEqual(oracleRows(decodeByTheBook(changed, measurementFields)));
      }
    }
  });

  it("rejects a group that its message cuts off, even if the frame continues", () => {
    const cut = reading(Buffer.concat([tagBytes(9, 3), varintField(1, 3n)]));
    expect(decode(Buffer.concat([cut, tagBytes(9, 4)])).kind).toBe("malformed");
  });

  it("reads or rejects random bytes according to the specification", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const frame = Buffer.from(bytes);
        expect(rowsOf(decode(frame))).toEqual(oracleRows(decodeByTheBook(frame, measurementFields)));
      }),
      runs,
    );
  });

  // Where ts-proto and protobuf's rules differ, we follow the rules. ts-proto replaces a repeated singular message,
  // where protobuf merges. And it accepts frames that protobuf rejects:
  // - a sub-message that exceeds its parent, as long as the frame has bytes;
  // - lengths and tags of more than 32 bits (it truncates them), tags of more than 5 bytes;
  // - varints of more than 10 bytes in unknown fields;
  // - field number 0 (skipped, or it ends the message), and an end of a group that ends nothing or another group.
  it("equals ts-proto on any frame, except where ts-proto differs from protobuf", () => {
    const count = { equal: 0, lax: 0, refused: 0 };
    fc.assert(
      fc.property(fc.oneof(frameBytes, brokenFrameBytes), (frame) => {
        const ours = withShortIds(rowsOf(decode(frame)));
        const theirs = withShortIds(tsProtoRows(frame));
        const byTheBook = decodeByTheBook(frame, measurementFields);
        if (theirs === "refused") {
          count.refused++;
          expect(ours).toBe("refused");
        } else if (byTheBook.kind === "refused") {
          count.lax++;
          expect(ours).toBe("refused");
        } else if (!byTheBook.merged) {
          count.equal++;
          expect(ours).toEqual(theirs);
        }
      }),
      runs,
    );
    for (const times of Object.values(count)) expect(times).toBeGreaterThan(runs.numRuns / 100);
  });

  // protobuf-es treats a known field number with a foreign wire type as the field, and rejects a whole frame for a
  // device id that is not UTF-8; protobuf and we skip the former, and we reject only the reading for the latter.
  it("equals protobuf-es on legal frames, merged messages included", () => {
    let merged = 0;
    fc.assert(
      fc.property(frameBytes, (frame) => {
        const byTheBook = decodeByTheBook(frame, measurementFields);
        if (byTheBook.kind === "refused" || byTheBook.foreignWireType) return;
        if (byTheBook.readings.some(({ deviceId }) => !isUtf8(deviceId)) || hasBadUtf8(frame)) return;
        if (byTheBook.merged) merged++;
        expect(rowsOf(decode(frame))).toEqual(
          fromBinary(PublishReadingsRequestSchema, frame).readings.map(esRow),
        );
      }),
      runs,
    );
    expect(merged).toBeGreaterThan(100);
  });

  it("uses the field numbers of the contract", () => {
    expect(PublishReadingsRequestSchema.field.readings.number).toBe(1);
    expect(ReadingSchema.field.deviceId.number).toBe(1);
    expect(ReadingSchema.field.timestamp.number).toBe(2);
    expect(TimestampSchema.field.seconds.number).toBe(1);
    expect(TimestampSchema.field.nanos.number).toBe(2);
    expect(ReadingSchema.field.sensorValue.number).toBe(15);
    expect(SensorValueSchema.field.sensor.number).toBe(1);
    expect(SensorValueSchema.field.value.number).toBe(2);
  });

  it("reads a device type that is added to the table of sensors", () => {
    const added: SensorSpec = {
      ...sensors[0]!,
      sensor: "light",
      aliases: [],
      deviceType: "luxmeter",
      measurementField: 1000,
      valueField: 17,
    };
    const decodeMore = createFrameDecoder({
      deviceIds: createDeviceIds(),
      catalog: createSensorCatalog([...sensors, added]),
    });
    const decoded = decodeMore(reading(lengthDelimited(1000, doubleField(17, 4.5))));
    if (decoded.kind !== "columns") throw new Error(decoded.kind);
    expect(decoded.columns.sensorCodes[0]).toBe(sensors.length);
    expect(decoded.columns.values[0]).toBe(4.5);
  });

  it("decodes a sensor by name to the same sensor as its device type, and keeps the last member of the oneof", () => {
    const named = (name: string, value: number) =>
      lengthDelimited(15, Buffer.concat([lengthDelimited(1, Buffer.from(name)), doubleField(2, value)]));
    const typed = lengthDelimited(3, doubleField(1, 7));
    const last = { deviceId: "", valid: false, timestamp: undefined };
    expect(
      rowsOf(
        decode(
          Buffer.concat([
            reading(named("temperature", 8)),
            reading(named("air_temperature", 8)),
            reading(named("co2", 8)),
            reading(typed, named("temperature", 8)),
            reading(named("temperature", 8), typed),
            reading(named("temperature", 8), lengthDelimited(3, Buffer.alloc(0))),
            reading(named("mood", 8)),
          ]),
        ),
      ),
    ).toEqual([
      { ...last, sensor: "temperature", value: 8 },
      { ...last, sensor: "temperature", value: 8 },
      { ...last, sensor: "co2", value: 8 },
      { ...last, sensor: "temperature", value: 8 },
      { ...last, sensor: "temperature", value: 7 },
      { ...last, sensor: "temperature", value: undefined },
      { ...last, sensor: undefined, unknownName: "mood", value: 8 },
    ]);
  });

  it("does not mix the readings of a frame with those of the previous one", () => {
    decode(
      reading(
        lengthDelimited(1, Buffer.from("one")),
        lengthDelimited(2, varintField(1, 5n)),
        lengthDelimited(3, doubleField(1, 7)),
      ),
    );
    expect(rowsOf(decode(reading()))).toEqual([
      { deviceId: "", valid: false, timestamp: undefined, sensor: undefined, value: undefined },
    ]);
  });

  it("reads a frame that starts anywhere in a larger buffer", () => {
    const frame = reading(lengthDelimited(1, Buffer.from("one")), lengthDelimited(3, doubleField(1, 7)));
    for (let offset = 0; offset < 9; offset++) {
      const shifted = Buffer.concat([Buffer.alloc(offset, 255), frame, Buffer.alloc(9, 255)]).subarray(
        offset,
        offset + frame.length,
      );
      expect(rowsOf(decode(shifted))).toEqual(rowsOf(decode(frame)));
    }
  });

  it("accepts 1000 readings and reports 1001 as too many", () => {
    const many = (count: number) => Buffer.concat(Array.from({ length: count }, () => reading()));
    expect(rowsOf(decode(many(1000)))).toHaveLength(1000);
    expect(decode(many(1001))).toEqual({ kind: "tooManyReadings" });
  });

  it("rejects groups nested deeper than 100, and accepts 100", () => {
    const nested = (depth: number) =>
      Buffer.concat([...Array(depth).fill(tagBytes(9, 3)), ...Array(depth).fill(tagBytes(9, 4))]);
    expect(decode(nested(100)).kind).toBe("columns");
    expect(decode(nested(101)).kind).toBe("malformed");
  });

  it("reports the malformed part and its position", () => {
    expect(decode(Buffer.from([0x0a, 0x05, 0x0a]))).toEqual({
      kind: "malformed",
      text: "a field at byte 1 runs past the end of its message",
    });
    expect(decode(Buffer.from([0x0f]))).toEqual({
      kind: "malformed",
      text: "the tag at byte 0 has the unknown wire type 7",
    });
    expect(decode(Buffer.from([0x38, ...Array(11).fill(0xff)]))).toEqual({
      kind: "malformed",
      text: "the number at byte 1 has more than 10 bytes",
    });
    expect(decode(varintBytes(2n ** 32n + 10n))).toEqual({
      kind: "malformed",
      text: "the tag at byte 0 is too long",
    });
  });
});

function reading(...fields: Buffer[]): Buffer {
  return lengthDelimited(1, Buffer.concat(fields));
}
