import { fromBinary } from "@bufbuild/protobuf";
import { builtInSensors, deviceIdPattern, sensorNamePattern, sensors } from "@devicemesh/proto";
import { PublishReadingsRequestSchema } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import type { Reading as EsReading } from "@devicemesh/proto/es/devicemesh/v1/reading_pb.ts";
import { PublishReadingsRequest } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import {
  type DecodedFrame,
  type FrameColumns,
  invalidNameBytesMax,
  invalidSensor,
  noSensor,
  unknownSensor,
} from "../src/wire/frame-decoder.ts";
import type { OracleAnswer, OracleReading } from "./frame-decoder.oracle.ts";

/** For tests: the decoded form of one reading, so that all decoders can be compared. */
export type Row = {
  deviceId: string;
  valid: boolean;
  timestamp: { seconds: number; nanos: number } | undefined;
  sensor: string | undefined;
  /** The name in a SensorValue, if no sensor has it. */
  unknownName?: string;
  /** Undefined without a measurement, and without its value. */
  value: number | undefined;
};

/** The fast decoder's result as rows. */
export function rowsOf(decoded: DecodedFrame): Row[] | "refused" {
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
    ...sensorOfRow(columns, row),
    value: columns.valuesSet[row] === 1 ? columns.values[row]! : undefined,
  }));
}

function sensorOfRow(columns: FrameColumns, row: number): Pick<Row, "sensor" | "unknownName"> {
  const code = columns.sensorCodes[row]!;
  if (code === noSensor) return { sensor: undefined };
  if (code !== unknownSensor && code !== invalidSensor) return { sensor: builtInSensors[code]!.sensor };
  return { sensor: undefined, unknownName: columns.sensorNames[row]! };
}

/** The sensor of a SensorValue, by the bytes of its name. */
function namedSensor(bytes: Buffer): Pick<Row, "sensor" | "unknownName"> {
  const known = builtInSensors.find(({ sensor, aliases }) =>
    [sensor, ...aliases].some((name) => Buffer.from(name).equals(bytes)),
  );
  if (known) return { sensor: known.sensor };
  return { sensor: undefined, unknownName: textOf(bytes, sensorNamePattern.test(bytes.toString("latin1"))) };
}

/** An invalid name is cut. */
function textOf(bytes: Buffer, valid: boolean): string {
  return (valid ? bytes : bytes.subarray(0, invalidNameBytesMax)).toString();
}

/** The plain decoder's result as rows. */
export function oracleRows(answer: OracleAnswer): Row[] | "refused" {
  return answer.kind === "refused" ? "refused" : answer.readings.map(oracleRow);
}

function oracleRow({ deviceId, timestamp, measurement }: OracleReading): Row {
  return {
    ...deviceIdOf(deviceId),
    timestamp: timestamp && { seconds: Number(timestamp.seconds), nanos: timestamp.nanos },
    ...(measurement?.name
      ? namedSensor(measurement.name)
      : { sensor: sensors.find((sensor) => sensor.measurementField === measurement?.field)?.sensor }),
    value: measurement?.value,
  };
}

/** ts-proto's result for a frame, as rows. */
export function tsProtoRows(frame: Buffer): Row[] | "refused" {
  let request: PublishReadingsRequest;
  try {
    request = PublishReadingsRequest.decode(frame);
  } catch {
    return "refused";
  }
  return request.readings.map(({ deviceId, timestamp, measurement }) => ({
    ...deviceIdOf(Buffer.from(deviceId)),
    timestamp: timestamp && { seconds: Number(timestamp.seconds), nanos: timestamp.nanos },
    ...(measurement?.$case === "sensorValue"
      ? { ...namedSensor(Buffer.from(measurement.value.sensor)), value: measurement.value.value }
      : {
          sensor: sensors.find((sensor) => camel(sensor.deviceType) === measurement?.$case)?.sensor,
          value: measurement && (Object.values(measurement.value)[0] as number | undefined),
        }),
  }));
}

/** ts-proto replaces bytes that are not UTF-8 before we can cut at the same position. */
export function withShortIds(rows: Row[] | "refused"): Row[] | "refused" {
  if (rows === "refused") return rows;
  return rows.map((row) => ({
    ...row,
    deviceId: row.valid ? row.deviceId : row.deviceId.slice(0, 32),
    ...(row.unknownName && { unknownName: row.unknownName.slice(0, 32) }),
  }));
}

/** A reading of protobuf-es as a row. */
export function esRow({ deviceId, timestamp, measurement }: EsReading): Row {
  const sensor = sensors.find(({ deviceType }) => camel(deviceType) === measurement.case);
  const values = { ...measurement.value } as Record<string, unknown>;
  return {
    ...deviceIdOf(Buffer.from(deviceId)),
    timestamp: timestamp && { seconds: Number(timestamp.seconds), nanos: timestamp.nanos },
    ...(measurement.case === "sensorValue"
      ? { ...namedSensor(Buffer.from(measurement.value.sensor)), value: measurement.value.value }
      : { sensor: sensor?.sensor, value: sensor && (values[camel(sensor.sensor)] as number | undefined) }),
  };
}

function deviceIdOf(bytes: Buffer): { deviceId: string; valid: boolean } {
  const valid = deviceIdPattern.test(bytes.toString("latin1"));
  return { deviceId: bytes.subarray(0, invalidNameBytesMax).toString(), valid };
}

/** Whether the bytes are UTF-8. */
export function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString()).equals(bytes);
}

/** Whether any device id in the frame, including overwritten ones, is not UTF-8. */
export function hasBadUtf8(frame: Buffer): boolean {
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
