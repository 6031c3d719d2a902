import type { Publisher } from "@devicemesh/identity";
import {
  clockAheadMaxMs,
  createSensorCatalog,
  earliestTimestampMs,
  isTyped,
  type SensorCatalog,
} from "@devicemesh/proto";
import type { MessageBatch } from "../log/message-log.ts";
import { type FrameColumns, invalidSensor, noSensor, unknownSensor } from "../wire/frame-decoder.ts";
import {
  badDeviceId,
  badNanos,
  badSensorName,
  beyondQuota,
  identityOfRow,
  missingValueViolation,
  namedNotFinite,
  namedRangeViolation,
  nanosMax,
  noMeasurement,
  noNamedValue,
  noTimestamp,
  notFinite,
  notItsOwn,
  notRetained,
  type Refusal,
  rangeViolation,
  tooEarly,
  tooFarAhead,
  tooManySeries,
  tooManyUnlisted,
  unknownSensorViolation,
  unlistedBounds,
  type Violation,
} from "./reading-violations.ts";

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
  memory = createBatchMemory(),
}: {
  /** The built-in one by default. */
  readonly catalog?: SensorCatalog;
  /** The memory of the batches. */
  readonly memory?: BatchMemory;
} = {}): ReadingChecks {
  const { sensors, listed } = catalog;
  const typed = sensors.filter(isTyped);
  const minimums = Float64Array.from(typed, (sensor) => sensor.minimum);
  const maximums = Float64Array.from(typed, (sensor) => sensor.maximum);
  const outOfRange = typed.map((spec) => rangeViolation(`${spec.deviceType}.${spec.sensor}`, spec));
  const noValue = typed.map(missingValueViolation);
  const infinite = typed.map(({ deviceType, sensor }) => notFinite(`${deviceType}.${sensor}`));

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
    const { sensorCodes, timestampsMs, values } = memory.allocate(columns.length);
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

/** The numeric columns of a batch. */
export type NumberColumns = {
  readonly sensorCodes: Uint16Array;
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
};

/** One reading: two doubles and a code of two bytes. */
const rowBytes = 18;

/** The memory of the batches that are in flight. */
export type BatchMemory = {
  /** Returns columns of `length` rows that no other batch has; their contents are undefined. */
  allocate(length: number): NumberColumns;
  /** The batch with these columns is not used any more: others may get its memory. Call it once, or not at all. */
  release(columns: Pick<NumberColumns, "values">): void;
};

/** Memory for batches; `inUse` is the number of those that have some of it. */
type Piece = { readonly buffer: ArrayBuffer; inUse: number };

/** Number of pieces that are kept for the next batches: together as much as is in flight at most. */
const freePiecesMax = 32;

/**
 * Cuts columns one after the other from pieces of `pieceBytes`, each used again when all batches cut from it are
 * released: batches live until they are durably stored, which is too long for a cheap garbage collection.
 */
export function createBatchMemory(pieceBytes = 256 * 1024): BatchMemory {
  const pieceOf = new WeakMap<ArrayBufferLike, Piece>();
  const free: Piece[] = [];
  let piece = newPiece(pieceBytes);
  let used = 0;

  function newPiece(bytes: number): Piece {
    const created = { buffer: new ArrayBuffer(bytes), inUse: 0 };
    pieceOf.set(created.buffer, created);
    return created;
  }
  function keep(unused: Piece): void {
    if (unused.buffer.byteLength === pieceBytes && free.length < freePiecesMax) free.push(unused);
  }

  return {
    allocate(length) {
      // Doubles must start at a multiple of 8.
      const bytes = Math.ceil((rowBytes * length) / 8) * 8;
      if (used + bytes > piece.buffer.byteLength) {
        if (piece.inUse === 0) keep(piece);
        piece = (bytes <= pieceBytes && free.pop()) || newPiece(Math.max(pieceBytes, bytes));
        used = 0;
      }
      const start = used;
      used += bytes;
      if (length > 0) piece.inUse++;
      const { buffer } = piece;
      return {
        timestampsMs: new Float64Array(buffer, start, length),
        values: new Float64Array(buffer, start + 8 * length, length),
        sensorCodes: new Uint16Array(buffer, start + 16 * length, length),
      };
    },
    release({ values }) {
      const of = pieceOf.get(values.buffer);
      if (of === undefined || values.length === 0) return;
      of.inUse--;
      if (of.inUse === 0 && of !== piece) keep(of);
    },
  };
}
