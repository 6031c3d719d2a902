import { type RpcError, unavailable } from "@devicemesh/kit/rpc/rpc-error";
import type { SensorName } from "@devicemesh/proto";
import type { SeriesFilter } from "./reading-store.ts";
import type { SketchReads } from "./sketch-reads.ts";
import type { StoreHorizon } from "./store-status.ts";

/** Readings by column; all columns have one length. */
export type ReadingColumns = {
  readonly timestampsMs: readonly number[];
  readonly deviceIds: readonly string[];
  readonly sensors: readonly SensorName[];
  readonly values: readonly number[];
};

/** The request: the raw readings of [sinceMs, toMs) that match the filter and arrived before `arrivedToMs`. */
export type ReadingScan = {
  readonly filter: SeriesFilter;
  readonly sinceMs: number;
  readonly toMs: number;
  readonly arrivedToMs: number;
};

/** Maximum number of readings in one piece of a scan: a few milliseconds of work for its caller. */
export const scanPieceRowsMax = 8192;

/** The part of a reading store for long reads and sketches; see `ReadingStore` for signals and errors. */
export type ReadingScans = SketchReads & {
  /**
   * Returns a horizon for a long read: every reading that is stored by now arrived before its `completeThroughMs` as
   * far as the store can know, and no later arrival does.
   */
  sealHorizon(signal: AbortSignal): Promise<StoreHorizon>;

  /**
   * Returns all readings of the scan, each once, in the order (timestamp, device_id, sensor), in pieces of 1 to
   * `scanPieceRowsMax`. Between two pieces it holds no connection, slot or transaction of the store, and only one
   * bounded read in memory, so its caller may take any time. `arrivedToMs` is the `completeThroughMs` of a sealed
   * horizon, or Infinity: then some of the readings that arrive meanwhile are included. `sinceMs` is not before its
   * `rawKeptSinceMs`.
   * @throws RpcError UNAVAILABLE if readings of the timeframe expire meanwhile.
   */
  scanReadings(scan: ReadingScan, signal: AbortSignal): AsyncIterable<ReadingColumns>;
};

/** Returns the error of a long read whose readings or windows expired before they were read. */
export function expiredMeanwhile(): RpcError {
  return unavailable({
    message: "readings of the timeframe expired while they were read: ask again, or for a later timeframe",
    retryDelayMs: 1000,
  });
}

/** Splits columns into pieces of at most `scanPieceRowsMax` rows. */
export function* columnPieces(columns: ReadingColumns): Generator<ReadingColumns> {
  const { length } = columns.timestampsMs;
  for (let start = 0; start < length; start += scanPieceRowsMax) {
    const end = start + scanPieceRowsMax;
    yield start === 0 && end >= length
      ? columns
      : {
          timestampsMs: columns.timestampsMs.slice(start, end),
          deviceIds: columns.deviceIds.slice(start, end),
          sensors: columns.sensors.slice(start, end),
          values: columns.values.slice(start, end),
        };
  }
}

/** Readings as columns. */
export function readingColumns(
  readings: readonly {
    readonly timestampMs: number;
    readonly deviceId: string;
    readonly sensor: SensorName;
    readonly value: number;
  }[],
): ReadingColumns {
  return {
    timestampsMs: readings.map(({ timestampMs }) => timestampMs),
    deviceIds: readings.map(({ deviceId }) => deviceId),
    sensors: readings.map(({ sensor }) => sensor),
    values: readings.map(({ value }) => value),
  };
}
