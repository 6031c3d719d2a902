import type { Publisher } from "@devicemesh/identity";
import {
  clockAheadMaxMs,
  createSensorCatalog,
  earliestTimestampMs,
  isoMilliseconds,
  isTyped,
  type SensorCatalog,
  valueMagnitudeMax,
} from "@devicemesh/proto";
import type { MessageBatch } from "../log/message-log.ts";
import { type FrameColumns, invalidSensor, noSensor, unknownSensor } from "../wire/frame-decoder.ts";
import {
  badDeviceId,
  badNanos,
  badSensorName,
  beyondQuota,
  missingValueViolation,
  namedNotFinite,
  nanosMax,
  noMeasurement,
  noNamedValue,
  noTimestamp,
  notFinite,
  notItsOwn,
  notRetained,
  rangeViolation,
  tooEarly,
  tooFarAhead,
  tooManySeries,
  tooManyUnlisted,
  unknownSensorViolation,
  type Violation,
} from "./reading-violations.ts";

/** A reading that broke a rule. */
export type Refusal = Violation & {
  /** Its index in the frame, from 0. */
  readonly row: number;
  /** device|sensor|ISO time; an unknown part is empty. */
  readonly identity: string;
};

/** A frame after the checks. */
export type CheckedFrame = {
  /** The accepted readings, in order, in separate columns. */
  readonly batch: MessageBatch;
  /** Number of readings that broke a rule. */
  readonly refused: number;
  /** The first of them, at most `refusalsMax`. */
  readonly refusals: readonly Refusal[];
  /** Number of readings that broke each rule, by its id; undefined if there are none. */
  readonly refusedByRule: ReadonlyMap<string, number> | undefined;
};

/** The context of the checks besides the reading. */
export type CheckContext = {
  /** The server's clock, ms since 1970. */
  readonly nowMs: number;
  /** Readings with an earlier timestamp are rejected, because the store no longer keeps them. */
  readonly retainedSinceMs?: number;
  /** Maximum number of rejections to describe. */
  readonly refusalsMax: number;
  /**
   * The sender of the frame; readings of devices that it may not send for are rejected. All are accepted if left out.
   */
  readonly publisher?: Publisher;
  /** Decides whether a reading may create a series; all may if left out. */
  readonly admitSeries?: AdmitSeries;
  /** Decides whether a reading that may be a duplicate is accepted; all are if left out. */
  readonly admitOlder?: AdmitOlder | undefined;
};

/**
 * Decides whether a reading of a series, by its code in the catalog, is accepted: undefined, or the reason. Called for
 * each reading that satisfies all other rules, with the URI of its publisher if known.
 */
export type AdmitSeries = (deviceId: string, sensorCode: number, publisher?: string) => string | undefined;

/**
 * Decides whether a reading of a series, by its code in the catalog, with this timestamp is accepted: undefined, or the
 * reason. Called for each reading that satisfies all other rules.
 */
export type AdmitOlder = (deviceId: string, sensorCode: number, timestampMs: number) => string | undefined;

/** Checks the readings of a frame and flattens the accepted ones. */
export type ReadingChecks = (columns: FrameColumns, context: CheckContext) => CheckedFrame;

/**
 * The rules of reading.proto by hand, in protovalidate's order: device_id, timestamp, the value (whether it is set, its
 * range), whether there is a measurement. In a SensorValue, the name is checked before the value. A rejected reading is
 * reported with its first violation.
 *
 * Three rules are not protovalidate's. One follows its rule on the device id:
 * - `device_id.identity`: see CheckContext.publisher.
 *
 * The others follow its rules on the timestamp:
 * - `timestamp.nanos`: google.protobuf.Timestamp defines nanos as 0 to 999,999,999. protovalidate does not check
 * this: it compares (seconds, nanos) in order and accepts nanos = -1 and nanos = 1e9.
 * - `timestamp.retained`: see CheckContext.retainedSinceMs.
 *
 * `sensor.unknown` follows the rules on a SensorValue, and then the range of the sensor that it names.
 *
 * The last are `series.limit` and `duplicates.quota`: see CheckContext.admitSeries and admitOlder.
 *
 * `double.gte_lte` is the range of the sensor in the catalog, which protovalidate does not know.
 */
export function createReadingChecks({
  catalog = createSensorCatalog(),
}: {
  /** The built-in one by default. */
  readonly catalog?: SensorCatalog;
} = {}): ReadingChecks {
  const { sensors, listed } = catalog;
  const typed = sensors.filter(isTyped);
  const minimums = Float64Array.from(typed, (sensor) => sensor.minimum);
  const maximums = Float64Array.from(typed, (sensor) => sensor.maximum);
  const outOfRange = typed.map((spec) => rangeViolation(`${spec.deviceType}.${spec.sensor}`, spec));
  const noValue = typed.map(missingValueViolation);
  const infinite = typed.map(({ deviceType, sensor }) => notFinite(`${deviceType}.${sensor}`));
  const allocate = createBatchMemory();

  function firstViolation(columns: FrameColumns, row: number, limits: Limits): Violation | undefined {
    if (columns.deviceIdsValid[row] === 0) return badDeviceId;
    if (limits.publisher !== undefined && !limits.publisher.mayPublish(columns.deviceIds[row]!)) {
      return notItsOwn(limits.publisher);
    }
    if (columns.timestampsSet[row] === 0) return noTimestamp;
    const seconds = columns.seconds[row]!;
    const nanos = columns.nanos[row]!;
    if (isBefore(seconds, nanos, limits.earliestSeconds, 0)) return tooEarly;
    if (isBefore(limits.latestSeconds, limits.latestNanos, seconds, nanos)) return tooFarAhead;
    if (nanos < 0 || nanos > nanosMax) return badNanos;
    if (seconds * 1000 + Math.floor(nanos / 1e6) < limits.retainedSinceMs) {
      return notRetained(limits.retainedSinceMs);
    }
    let code = columns.sensorCodes[row]!;
    const value = columns.values[row]!;
    if (columns.sensorsNamed[row] === 1) {
      const violation = namedViolation(columns, row);
      if (violation !== undefined) return violation;
      code = columns.sensorCodes[row]!;
    } else {
      if (code === noSensor) return noMeasurement;
      if (columns.valuesSet[row] === 0) return noValue[code];
      // Written so that NaN, whose comparisons are false, is rejected.
      if (!(value >= minimums[code]! && value <= maximums[code]!)) {
        return Number.isFinite(value) ? outOfRange[code] : infinite[code];
      }
    }
    const { admitSeries, admitOlder, publisher } = limits;
    const tooMany = admitSeries?.(columns.deviceIds[row]!, code, publisher?.uri);
    if (tooMany !== undefined) return tooManySeries(tooMany);
    if (admitOlder === undefined) return undefined;
    const reason = admitOlder(columns.deviceIds[row]!, code, seconds * 1000 + Math.floor(nanos / 1e6));
    return reason === undefined ? undefined : beyondQuota(reason);
  }

  function namedViolation(columns: FrameColumns, row: number): Violation | undefined {
    const code = columns.sensorCodes[row]!;
    if (code === invalidSensor) return badSensorName;
    if (columns.valuesSet[row] === 0) return noNamedValue;
    const value = columns.values[row]!;
    if (!Number.isFinite(value)) return namedNotFinite;
    if (code < listed) return namedRangeViolation(value, sensors[code]!);
    const name = code === unknownSensor ? columns.sensorNames[row]! : sensors[code]!.sensor;
    if (!catalog.acceptsUnlisted) return unknownSensorViolation(name);
    const violation = namedRangeViolation(value, unlistedBounds);
    if (violation !== undefined) return violation;
    const added = catalog.addUnlisted(name);
    if (added === undefined) return tooManyUnlisted;
    columns.sensorCodes[row] = added;
    return undefined;
  }

  return (columns, context) => {
    const limits = limitsOf(context);
    const deviceIds = columns.deviceIds.slice(0, columns.length);
    const { sensorCodes, timestampsMs, values } = allocate(columns.length);
    const refusals: Refusal[] = [];
    let refused = 0;
    let accepted = 0;
    let refusedByRule: Map<string, number> | undefined;
    for (let row = 0; row < columns.length; row++) {
      const violation = firstViolation(columns, row, limits);
      if (violation !== undefined) {
        refusedByRule ??= new Map();
        refusedByRule.set(violation.ruleId, (refusedByRule.get(violation.ruleId) ?? 0) + 1);
        if (refused++ < context.refusalsMax) {
          refusals.push({ row, identity: identityOfRow(columns, row, catalog), ...violation });
        }
        continue;
      }
      if (accepted !== row) deviceIds[accepted] = columns.deviceIds[row]!;
      sensorCodes[accepted] = columns.sensorCodes[row]!;
      values[accepted] = columns.values[row]!;
      timestampsMs[accepted] = columns.seconds[row]! * 1000 + Math.floor(columns.nanos[row]! / 1e6);
      accepted++;
    }
    const batch = { length: accepted, deviceIds, sensors, sensorCodes, timestampsMs, values };
    return { batch, refused, refusals, refusedByRule };
  };
}

const unlistedBounds = { minimum: -valueMagnitudeMax, maximum: valueMagnitudeMax };

function namedRangeViolation(value: number, bounds: typeof unlistedBounds): Violation | undefined {
  const isWithin = value >= bounds.minimum && value <= bounds.maximum;
  return isWithin ? undefined : rangeViolation("sensor_value.value", bounds);
}

type Limits = {
  readonly earliestSeconds: number;
  readonly latestSeconds: number;
  readonly latestNanos: number;
  readonly retainedSinceMs: number;
  readonly publisher: Publisher | undefined;
  readonly admitSeries: AdmitSeries | undefined;
  readonly admitOlder: AdmitOlder | undefined;
};

function limitsOf({ nowMs, retainedSinceMs, publisher, admitSeries, admitOlder }: CheckContext): Limits {
  const latestMs = Math.floor(nowMs) + clockAheadMaxMs;
  const latestSeconds = Math.floor(latestMs / 1000);
  return {
    earliestSeconds: earliestTimestampMs / 1000,
    latestSeconds,
    latestNanos: (latestMs - latestSeconds * 1000) * 1e6,
    retainedSinceMs: retainedSinceMs ?? Number.NEGATIVE_INFINITY,
    publisher,
    admitSeries,
    admitOlder,
  };
}

/** In the order of (seconds, nanos), like protovalidate. */
function isBefore(seconds: number, nanos: number, otherSeconds: number, otherNanos: number): boolean {
  return seconds < otherSeconds || (seconds === otherSeconds && nanos < otherNanos);
}

function identityOfRow(columns: FrameColumns, row: number, { sensors }: SensorCatalog): string {
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

/** The numeric columns of a batch. */
export type NumberColumns = {
  readonly sensorCodes: Uint16Array;
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
};

/** One reading: two doubles and a code of two bytes. */
const rowBytes = 18;

/**
 * Returns columns of `length` rows that no other batch has, cut one after the other from pieces of `pieceBytes`:
 * allocating memory for each column of each frame would cost more than decoding small frames. A piece lives as long as
 * any batch cut from it.
 */
export function createBatchMemory(pieceBytes = 256 * 1024): (length: number) => NumberColumns {
  let piece = new ArrayBuffer(pieceBytes);
  let used = 0;
  return (length) => {
    // Doubles must start at a multiple of 8.
    const bytes = Math.ceil((rowBytes * length) / 8) * 8;
    if (used + bytes > piece.byteLength) {
      piece = new ArrayBuffer(Math.max(pieceBytes, bytes));
      used = 0;
    }
    const start = used;
    used += bytes;
    return {
      timestampsMs: new Float64Array(piece, start, length),
      values: new Float64Array(piece, start + 8 * length, length),
      sensorCodes: new Uint16Array(piece, start + 16 * length, length),
    };
  };
}
