import type { Publisher } from "@devicemesh/identity";
import {
  deviceIdPattern,
  earliestTimestampMs,
  isoMilliseconds,
  type SensorCatalog,
  type SensorSpec,
  sensorNamePattern,
  type TypedSensor,
  valueMagnitudeMax,
} from "@devicemesh/proto";
import { type FrameColumns, invalidSensor } from "../wire/frame-decoder.ts";

/** The rule that a reading broke: protovalidate's path, id and text if protovalidate has the rule. */
export type Violation = {
  readonly fieldPath: string;
  readonly ruleId: (typeof ruleIds)[number];
  readonly text: string;
};

/** A reading that broke a rule. */
export type Refusal = Violation & {
  /** Its index in the frame, from 0. */
  readonly row: number;
  /** device|sensor|ISO time; an unknown part is empty. */
  readonly identity: string;
};

/** The ids of all rules that a reading can break. */
export const ruleIds = [
  "device_id.identity",
  "double.finite",
  "double.gte_lte",
  "duplicates.quota",
  "required",
  "sensor.limit",
  "sensor.unknown",
  "series.limit",
  "string.pattern",
  "timestamp.gte",
  "timestamp.nanos",
  "timestamp.one_day_ahead",
  "timestamp.retained",
] as const;

export const nanosMax = 999_999_999;

export const badDeviceId: Violation = {
  fieldPath: "device_id",
  ruleId: "string.pattern",
  text: `does not match regex pattern \`${deviceIdPattern.source}\``,
};
export const noTimestamp: Violation = {
  fieldPath: "timestamp",
  ruleId: "required",
  text: "value is required",
};
export const tooEarly: Violation = {
  fieldPath: "timestamp",
  ruleId: "timestamp.gte",
  text: `must be greater than or equal to ${isoMilliseconds(earliestTimestampMs).replace(".000Z", "Z")}`,
};
export const tooFarAhead: Violation = {
  fieldPath: "timestamp",
  ruleId: "timestamp.one_day_ahead",
  text: "must be at most one day ahead of the server",
};
export const badNanos: Violation = {
  fieldPath: "timestamp.nanos",
  ruleId: "timestamp.nanos",
  text: `must be from 0 to ${nanosMax}`,
};
export const noMeasurement: Violation = {
  fieldPath: "measurement",
  ruleId: "required",
  text: "exactly one field is required in oneof",
};

export const badSensorName: Violation = {
  fieldPath: "sensor_value.sensor",
  ruleId: "string.pattern",
  text: `does not match regex pattern \`${sensorNamePattern.source}\``,
};
export const noNamedValue: Violation = {
  fieldPath: "sensor_value.value",
  ruleId: "required",
  text: "value is required",
};
export const namedNotFinite = notFinite("sensor_value.value");
export const tooManyUnlisted: Violation = {
  fieldPath: "sensor_value.sensor",
  ruleId: "sensor.limit",
  text: "the server has accepted the most unknown sensors that it may: add the sensor to a file and start the server with --sensors FILE",
};

export function notFinite(fieldPath: string): Violation {
  return { fieldPath, ruleId: "double.finite", text: "must be finite" };
}

export function notItsOwn({ refusalText }: Publisher): Violation {
  return { fieldPath: "device_id", ruleId: "device_id.identity", text: refusalText };
}

export function notRetained(retainedSinceMs: number): Violation {
  return {
    fieldPath: "timestamp",
    ruleId: "timestamp.retained",
    text: `must not be before ${isoMilliseconds(retainedSinceMs)}, since when the store retains readings`,
  };
}

export function beyondQuota(text: string): Violation {
  return { fieldPath: "device_id", ruleId: "duplicates.quota", text };
}

export function missingValueViolation({ deviceType, sensor }: TypedSensor): Violation {
  return { fieldPath: `${deviceType}.${sensor}`, ruleId: "required", text: "value is required" };
}

export function tooManySeries(text: string): Violation {
  return { fieldPath: "device_id", ruleId: "series.limit", text };
}

export function rangeViolation(
  fieldPath: string,
  { minimum, maximum }: Pick<SensorSpec, "minimum" | "maximum">,
): Violation {
  return {
    fieldPath,
    ruleId: "double.gte_lte",
    text: `must be greater than or equal to ${minimum} and less than or equal to ${maximum}`,
  };
}

export function unknownSensorViolation(name: string): Violation {
  return {
    fieldPath: "sensor_value.sensor",
    ruleId: "sensor.unknown",
    text: `the sensor catalog has no sensor ${JSON.stringify(name)}: add it to a file and start the server with --sensors FILE, or with --unknown-sensors accept`,
  };
}

/** The bounds of a sensor that is not in the catalog. */
export const unlistedBounds = { minimum: -valueMagnitudeMax, maximum: valueMagnitudeMax };

/** The violation of a named value that is out of bounds, if it is. */
export function namedRangeViolation(value: number, bounds: typeof unlistedBounds): Violation | undefined {
  const isWithin = value >= bounds.minimum && value <= bounds.maximum;
  return isWithin ? undefined : rangeViolation("sensor_value.value", bounds);
}

/** Returns the identity of a rejected reading; an unknown part is empty. */
export function identityOfRow(columns: FrameColumns, row: number, { sensors }: SensorCatalog): string {
  const code = columns.sensorCodes[row]!;
  const isNameless = columns.sensorsNamed[row] === 0 || code < invalidSensor;
  const sensor = isNameless ? (sensors[code]?.sensor ?? "") : columns.sensorNames[row];
  return `${columns.deviceIds[row]}|${sensor}|${timeOfRow(columns, row)}`;
}

function timeOfRow(columns: FrameColumns, row: number): string {
  const nanos = columns.nanos[row]!;
  if (columns.timestampsSet[row] === 0 || nanos < 0 || nanos > nanosMax) return "";
  const ms = columns.seconds[row]! * 1000 + Math.floor(nanos / 1e6);
  return Math.abs(ms) <= latestDateMs ? isoMilliseconds(ms) : "";
}

/** The last instant of ECMAScript's Date. */
const latestDateMs = 8.64e15;
