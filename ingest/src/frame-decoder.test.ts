import { fromBinary } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { deviceIdPattern, type SensorSpec, sensors } from "@devicemesh/proto";
import { PublishReadingsRequestSchema } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import { type Reading as EsReading, ReadingSchema } from "@devicemesh/proto/es/devicemesh/v1/reading_pb.ts";
import { PublishReadingsRequest } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDeviceIds } from "./device-ids.ts";
import {
  brokenFrameBytes,
  doubleField,
  frameBytes,
  lengthDelimited,
  tagBytes,
  varintBytes,
  varintField,
} from "./frame-bytes.ts";
import { decodeByTheBook, type OracleAnswer, type OracleReading } from "./frame-decoder.oracle.ts";
import { createFrameDecoder, type DecodedFrame, invalidDeviceIdBytesMax, noSensor } from "./frame-decoder.ts";

const decode = createFrameDecoder({ deviceIds: createDeviceIds({ slots: 64 }) });
const measurementFields = sensors.map((sensor) => sensor.measurementField);
const runs = { numRuns: 20_000 };

/** What one reading comes to, so that all decoders can be compared. */
type Row = {
  deviceId: string;
  valid: boolean;
  timestamp: { seconds: number; nanos: number } | undefined;
  sensor: string | undefined;
  value: number;
};

describe("the frame decoder", () => {
  it("reads every legal frame as the book says", () => {
    fc.assert(
      fc.property(frameBytes, (frame) => {
        const expected = decodeByTheBook(frame, measurementFields);
        expect(expected.kind).toBe("readings");
        expect(rowsOf(decode(frame))).toEqual(oracleRows(expected));
      }),
      runs,
    );
  });

  it("reads broken frames as the book says, or refuses them where it does", () => {
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

  it("refuses or reads random bytes as the book says", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const frame = Buffer.from(bytes);
        expect(rowsOf(decode(frame))).toEqual(oracleRows(decodeByTheBook(frame, measurementFields)));
      }),
      runs,
    );
  });

  // Where ts-proto and protobuf's rules part, we follow the rules. ts-proto replaces a singular message
  // that comes twice, where protobuf merges. And it takes frames that protobuf refuses:
  // - a sub-message that runs past its parent, as long as the frame has bytes;
  // - lengths and tags of more than 32 bits (it cuts them), tags of more than 5 bytes;
  // - varints of more than 10 bytes in unknown fields;
  // - field number 0 (skipped, or it ends the message), and an end of a group that ends nothing or another group.
  it("equals ts-proto on any frame, but for what ts-proto does otherwise than protobuf", () => {
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

  // protobuf-es takes a known field number with a foreign wire type for the field, and refuses a whole
  // frame for a device id that is not UTF-8; protobuf and we skip the former, and we refuse the reading for the latter.
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

  it("knows the field numbers of the contract", () => {
    expect(PublishReadingsRequestSchema.field.readings.number).toBe(1);
    expect(ReadingSchema.field.deviceId.number).toBe(1);
    expect(ReadingSchema.field.timestamp.number).toBe(2);
    expect(TimestampSchema.field.seconds.number).toBe(1);
    expect(TimestampSchema.field.nanos.number).toBe(2);
  });

  it("reads a device type that is added to the table of sensors", () => {
    const added: SensorSpec = {
      ...sensors[0]!,
      deviceType: "luxmeter",
      measurementField: 1000,
      valueField: 17,
    };
    const decodeMore = createFrameDecoder({ deviceIds: createDeviceIds(), sensors: [...sensors, added] });
    const decoded = decodeMore(reading(lengthDelimited(1000, doubleField(17, 4.5))));
    if (decoded.kind !== "columns") throw new Error(decoded.kind);
    expect(decoded.columns.sensorCodes[0]).toBe(sensors.length);
    expect(decoded.columns.values[0]).toBe(4.5);
  });

  it("keeps the readings of a frame apart from those of the frame before", () => {
    decode(
      reading(
        lengthDelimited(1, Buffer.from("one")),
        lengthDelimited(2, varintField(1, 5n)),
        lengthDelimited(3, doubleField(1, 7)),
      ),
    );
    expect(rowsOf(decode(reading()))).toEqual([
      { deviceId: "", valid: false, timestamp: undefined, sensor: undefined, value: 0 },
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

  it("takes 1000 readings and says that 1001 are too many", () => {
    const many = (count: number) => Buffer.concat(Array.from({ length: count }, () => reading()));
    expect(rowsOf(decode(many(1000)))).toHaveLength(1000);
    expect(decode(many(1001))).toEqual({ kind: "tooManyReadings" });
  });

  it("refuses groups nested deeper than 100, and follows 100", () => {
    const nested = (depth: number) =>
      Buffer.concat([...Array(depth).fill(tagBytes(9, 3)), ...Array(depth).fill(tagBytes(9, 4))]);
    expect(decode(nested(100)).kind).toBe("columns");
    expect(decode(nested(101)).kind).toBe("malformed");
  });

  it("says what is malformed, and where", () => {
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

function rowsOf(decoded: DecodedFrame): Row[] | "refused" {
  if (decoded.kind === "tooManyReadings") throw new Error("more readings than the tests make");
  if (decoded.kind === "malformed") return "refused";
  const { columns } = decoded;
  return Array.from({ length: columns.length }, (_, row) => ({
    deviceId: columns.deviceIds[row]!,
    valid: columns.deviceIdsValid[row] === 1,
    timestamp:
      columns.timestampsSet[row] === 1
        ? { seconds: columns.seconds[row]!, nanos: columns.nanos[row]! }
        : undefined,
    sensor: columns.sensorCodes[row] === noSensor ? undefined : sensors[columns.sensorCodes[row]!]!.sensor,
    value: columns.values[row]!,
  }));
}

function oracleRows(answer: OracleAnswer): Row[] | "refused" {
  return answer.kind === "refused" ? "refused" : answer.readings.map(oracleRow);
}

function oracleRow({ deviceId, timestamp, measurement }: OracleReading): Row {
  return {
    ...deviceIdOf(deviceId),
    timestamp: timestamp && { seconds: Number(timestamp.seconds), nanos: timestamp.nanos },
    sensor: measurement && sensors.find((sensor) => sensor.measurementField === measurement.field)!.sensor,
    value: measurement?.value ?? 0,
  };
}

function tsProtoRows(frame: Buffer): Row[] | "refused" {
  let request: PublishReadingsRequest;
  try {
    request = PublishReadingsRequest.decode(frame);
  } catch {
    return "refused";
  }
  return request.readings.map(({ deviceId, timestamp, measurement }) => ({
    ...deviceIdOf(Buffer.from(deviceId)),
    timestamp: timestamp && { seconds: Number(timestamp.seconds), nanos: timestamp.nanos },
    sensor: measurement && sensors.find((sensor) => camel(sensor.deviceType) === measurement.$case)!.sensor,
    value: measurement ? (Object.values(measurement.value)[0] as number) : 0,
  }));
}

/** ts-proto replaces bytes that are not UTF-8 before we can cut at the same place. */
function withShortIds(rows: Row[] | "refused"): Row[] | "refused" {
  if (rows === "refused") return rows;
  return rows.map((row) => (row.valid ? row : { ...row, deviceId: row.deviceId.slice(0, 32) }));
}

function esRow({ deviceId, timestamp, measurement }: EsReading): Row {
  const sensor = sensors.find(({ deviceType }) => camel(deviceType) === measurement.case);
  const values = { ...measurement.value } as Record<string, unknown>;
  return {
    ...deviceIdOf(Buffer.from(deviceId)),
    timestamp: timestamp && { seconds: Number(timestamp.seconds), nanos: timestamp.nanos },
    sensor: sensor?.sensor,
    value: sensor ? (values[camel(sensor.sensor)] as number) : 0,
  };
}

function deviceIdOf(bytes: Buffer): { deviceId: string; valid: boolean } {
  const valid = deviceIdPattern.test(bytes.toString("latin1"));
  return { deviceId: bytes.subarray(0, invalidDeviceIdBytesMax).toString(), valid };
}

function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString()).equals(bytes);
}

/** Whether any device id in the frame, also one that another follows, is not UTF-8. */
function hasBadUtf8(frame: Buffer): boolean {
  try {
    fromBinary(PublishReadingsRequestSchema, frame);
    return false;
  } catch (error) {
    return error instanceof TypeError;
  }
}

function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
