import { earliestTimestampMs } from "@devicemesh/proto";
import type { Row } from "../formats/row.ts";
import type { FilePlan } from "../inspect/file-plan.ts";
import type { RowSchema } from "../inspect/row-schema.ts";
import type { KnownSensor } from "../inspect/sensor-lookup.ts";
import type { RepeatedTimes } from "../time/local-times.ts";
import { type Conversion, conversionOf } from "../units/units.ts";
import type { DeviceName } from "./device-names.ts";
import { isMissing } from "./missing.ts";
import { type DecimalSign, isNumeric, readNumber, splitNumberAndUnit } from "./numbers.ts";
import { createRowTimes } from "./row-times.ts";
import { createValueSensors } from "./value-sensors.ts";

/** Receives the outcome of each value of the rows: exactly one call for each value. */
export type ReadingSink = {
  reading(row: Row, deviceId: string, sensor: KnownSensor, timestampMs: number, value: number): void;
  /** The value is missing. */
  missing(row: Row): void;
  /** The value is of an unknown sensor. */
  unknown(row: Row, name: string): void;
  /** The value breaks a rule. */
  refused(row: Row, column: string, reason: string): void;
  /** The row is unreadable; it counts as one value. */
  bad(row: Row, reason: string): void;
};

/** Converts rows to readings. */
export type Converter = {
  convert(row: Row, sink: ReadingSink): void;
  /** Number of ambiguous local times so far. */
  repeatedTimes(): RepeatedTimes;
};

/** Creates a converter for that plan. Times after `latestMs` are rejected. */
export function createConverter(
  plan: FilePlan,
  { deviceOf, latestMs }: { deviceOf(name: string): DeviceName; readonly latestMs: number },
): Converter {
  const { options } = plan;
  const times = createRowTimes(plan.times);
  const missing = isMissing([...(options.missing ?? []), ...(plan.preset?.missing ?? [])]);
  const isTenths = plan.preset?.isTenths === true;
  const valueSensors = createValueSensors(plan);
  const fixedDevice = options.device === undefined ? undefined : deviceOf(options.device);

  function send(row: Row, cell: Cell, at: Moment, sink: ReadingSink): void {
    const { sensor } = cell;
    const number = numberOf(cell, isTenths);
    if (typeof number === "string") sink.refused(row, cell.column, number);
    else if (number >= sensor.minimum && number <= sensor.maximum)
      sink.reading(row, at.deviceId, sensor, at.ms, number);
    else sink.refused(row, cell.column, boundsRule(sensor));
  }

  /** Sends the values of a row to the sink; returns why the row is unreadable, if it is. */
  function convertRow(row: Row, schema: RowSchema, sink: ReadingSink): string | undefined {
    const { cells } = row;
    const { deviceAt, valueAt, valueDecimal } = schema;
    const device = fixedDevice ?? (deviceAt < 0 ? undefined : deviceOf(cells[deviceAt]!));
    if (device === undefined) return "the row names no device";
    if (device.problem !== undefined) return device.problem;
    const found = valueAt < 0 ? undefined : valueSensors.of(schema, cells);
    const series = found === undefined ? device.id : `${device.id}|${found.name}`;
    const ms = times.read(series, schema, cells);
    if (Number.isNaN(ms)) return times.problem();
    if (ms < earliestTimestampMs) return "the time is before 2000";
    if (ms > latestMs) return "the time is more than a day ahead";
    const at = { deviceId: device.id, ms };
    if (found !== undefined) {
      const text = cells[valueAt]!;
      const { sensor, convert } = found;
      if (sensor === undefined && text !== "") sink.unknown(row, found.name);
      else if (sensor === undefined || missing(text)) sink.missing(row);
      else send(row, { text, column: row.names[valueAt]!, sensor, decimal: valueDecimal, convert }, at, sink);
    }
    for (const cell of schema.sensors) {
      const text = cells[cell.at]!;
      if (missing(text)) sink.missing(row);
      else send(row, { ...cell, text, column: cell.name }, at, sink);
    }
    for (const { at: place, name } of schema.unknown) {
      const text = cells[place]!;
      if (text !== "" && isNumeric(text) && !missing(text)) sink.unknown(row, name);
    }
    return undefined;
  }

  return {
    convert(row, sink) {
      const problem = row.problem ?? problemOf(row, sink);
      if (problem !== undefined) sink.bad(row, problem);
    },
    repeatedTimes: times.repeated,
  };

  function problemOf(row: Row, sink: ReadingSink): string | undefined {
    const schema = plan.schemaOf(row.names);
    return schema.problem ?? convertRow(row, schema, sink);
  }
}

/** A cell with a value of a sensor; without `convert`, its unit cannot be converted to the sensor's. */
type Cell = {
  readonly text: string;
  readonly column: string;
  readonly sensor: KnownSensor;
  readonly decimal: DecimalSign;
  readonly convert: Conversion | undefined;
};

type Moment = { readonly deviceId: string; readonly ms: number };

function boundsRule({ sensor, minimum, maximum, unit }: KnownSensor): string {
  return `${sensor} must be within ${minimum} and ${maximum} ${unit}`;
}

const states: Readonly<Record<string, number>> = { on: 1, true: 1, yes: 1, off: 0, false: 0, no: 0 };

/** Marks of quality of NOAA's integrated surface data. */
const erroneousMarks: ReadonlySet<string> = new Set(["3", "7"]);

/** Returns the value in the sensor's unit, or the problem. */
function numberOf({ text, sensor, decimal, convert }: Cell, isTenths: boolean): number | string {
  if (convert === undefined) return `the unit of the value cannot be converted to ${sensor.unit}`;
  if (isTenths) {
    const [, digits, mark = ""] = /^([+-]\d+),(\w)$/.exec(text) ?? [];
    if (erroneousMarks.has(mark)) return "the source marks the value as erroneous";
    const tenths = Number(digits);
    return Number.isNaN(tenths) ? "the value is not a number" : convert(tenths / 10);
  }
  const number = readNumber(text, decimal);
  if (!Number.isNaN(number)) return convert(number);
  const state = sensor.minimum === 0 && sensor.maximum === 1 ? states[text.toLowerCase()] : undefined;
  if (state !== undefined) return state;
  const parts = splitNumberAndUnit(text);
  const value = parts === undefined ? Number.NaN : readNumber(parts.number, decimal);
  const own = parts === undefined ? undefined : conversionOf(parts.unit, sensor.unit);
  return own === undefined || Number.isNaN(value) ? "the value is not a number" : own(value);
}
