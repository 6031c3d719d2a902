import { deviceIdPattern, earliestTimestampMs, type SensorCatalog } from "@devicemesh/proto";
import { quotedCharactersMax } from "../limits.ts";

/** The columns of a recording; their order and further columns do not matter. */
export const recordingColumns = ["device_id", "timestamp", "sensor", "value"] as const;

type ColumnName = (typeof recordingColumns)[number];

/** The columns of a file: the index of each in a row, counted from 0, and their total number. */
export type RecordingColumns = Readonly<Record<ColumnName, number>> & { readonly count: number };

/** A row of a recording. */
export type RecordingRow =
  | {
      readonly kind: "reading";
      readonly deviceId: string;
      /** The name in the catalog. */
      readonly sensorCode: number;
      /** Whole milliseconds since 1970; smaller digits are truncated. */
      readonly timestampMs: number;
      readonly value: number;
    }
  /** The reason why the row is not a reading. */
  | { readonly kind: "bad"; readonly reason: string };

/** Returns the columns of a header row, or its problem: a column is missing, or two have the same name. */
export function findColumns(
  header: readonly string[],
):
  | { readonly kind: "found"; readonly columns: RecordingColumns }
  | { readonly kind: "problem"; readonly problem: string } {
  const names = header.map((name) => name.toLowerCase());
  const missing = recordingColumns.filter((column) => !names.includes(column));
  if (missing.length > 0) {
    const columns = missing.length === 1 ? "the column" : "the columns";
    return { kind: "problem", problem: `${columns} ${missing.join(", ")} missing` };
  }
  const repeated = names.find((name, at) => name !== "" && names.indexOf(name) !== at);
  if (repeated !== undefined) {
    return { kind: "problem", problem: `two columns are named ${quote(repeated)}` };
  }
  const [deviceId, timestamp, sensor, value] = recordingColumns.map((column) => names.indexOf(column));
  return {
    kind: "found",
    columns: {
      device_id: deviceId!,
      timestamp: timestamp!,
      sensor: sensor!,
      value: value!,
      count: header.length,
    },
  };
}

/** Reads one row. It checks all rules of the contract for a single reading, so that problems have a line number. */
export function readRow(
  fields: readonly string[],
  columns: RecordingColumns,
  catalog: SensorCatalog,
): RecordingRow {
  if (fields.length !== columns.count) {
    return bad(`it has ${fields.length} fields, the header has ${columns.count}`);
  }
  const deviceId = fields[columns.device_id]!;
  if (!deviceIdPattern.test(deviceId))
    return bad(`device_id ${quote(deviceId)} is not 1 to 128 of A-Z a-z 0-9 _ . : - / @ ~ = %`);

  const timestamp = fields[columns.timestamp]!;
  const timestampMs = readTimestamp(timestamp);
  if (timestampMs === undefined) {
    return bad(`timestamp ${quote(timestamp)} is not a time like 2026-11-23T20:04:22.000Z`);
  }
  if (timestampMs < earliestTimestampMs) return bad(`timestamp ${quote(timestamp)} is before 2000`);

  const sensor = fields[columns.sensor]!;
  const sensorCode = catalog.codeOfNamed(sensor);
  const spec = sensorCode === undefined ? undefined : catalog.sensors[sensorCode];
  if (sensorCode === undefined || spec === undefined)
    return bad(`sensor ${quote(sensor)} is not in the sensor catalog`);

  const text = fields[columns.value]!;
  if (!decimalPattern.test(text)) return bad(`value ${quote(text)} is not a number`);
  const value = Number(text);
  const { minimum, maximum, unit } = spec;
  if (value < minimum || value > maximum)
    return bad(`value ${text} is not within ${minimum} to ${maximum} ${unit}`);
  return { kind: "reading", deviceId, sensorCode, timestampMs, value };
}

/**
 * Returns milliseconds since 1970 of an ISO 8601 time with a zone (`Z` or an offset; a space may replace the T, seconds
 * may be left out); undefined if it is not one. Digits below the millisecond are truncated.
 */
export function readTimestamp(text: string): number | undefined {
  const parts = timestampPattern.exec(text);
  if (parts === null) return undefined;
  const [, date, hour, minute, seconds = "00", fraction = "", zone] = parts;
  const midnightMs = Date.parse(`${date}T00:00:00Z`);
  // V8 reads February 30 as March 2.
  if (Number.isNaN(midnightMs) || new Date(midnightMs).getUTCDate() !== Number(date!.slice(8)))
    return undefined;
  const milliseconds = fraction.padEnd(3, "0").slice(0, 3);
  const offset = zone!.toUpperCase() === "Z" ? "Z" : zone!.replace(/^(...):?/, "$1:");
  const ms = Date.parse(`${date}T${hour}:${minute}:${seconds}.${milliseconds}${offset}`);
  return Number.isNaN(ms) ? undefined : ms;
}

const timestampPattern =
  /^(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3]):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?([Zz]|[+-]\d\d:?\d\d)$/;
const decimalPattern = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
function bad(reason: string): RecordingRow {
  return { kind: "bad", reason };
}

function quote(text: string): string {
  return JSON.stringify(text.length > quotedCharactersMax ? `${text.slice(0, quotedCharactersMax)}…` : text);
}
