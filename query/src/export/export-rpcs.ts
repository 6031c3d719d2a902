import { create } from "@bufbuild/protobuf";
import { type Level, protoTimestamp } from "@devicemesh/proto";
import {
  type ExportBucketsRequest,
  type ExportBucketsResponse,
  ExportBucketsResponseSchema,
  type ExportReadingsRequest,
  type ExportReadingsResponse,
  ExportReadingsResponseSchema,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { type AnswerCoverage, bucketMessage, coverageMessage, groupingOf } from "../answer/aggregate-rows.ts";
import { calendarSizing } from "../answer/bucket-sizing.ts";
import { timeframeOf } from "../answer/read-timeframe.ts";
import { requestedBucketSize } from "../plan/bucket-size.ts";
import type { UnitOf } from "../plan/merge.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import { type ExportSizing, exportBuckets } from "./buckets-export.ts";
import type { ExportAdmission } from "./export-admission.ts";
import { defaultBucketMs, exportStallMs, messageRowsMax } from "./export-limits.ts";
import { exportReadings } from "./readings-export.ts";
import { endedIfStalled } from "./stalled-client.ts";

/** The dependencies of exports. */
export type ExportDependencies = {
  readonly store: ReadingStore;
  readonly admission: ExportAdmission;
  readonly unitOf: UnitOf;
  /** `exportStallMs` by default. */
  readonly stallMs?: number | undefined;
};

/**
 * Answers ExportReadings. It reads only as fast as the client.
 * @throws RpcError RESOURCE_EXHAUSTED if too many exports run, DEADLINE_EXCEEDED if the client stops reading;
 * the errors of the store.
 */
export function exportReadingsRpc(
  dependencies: ExportDependencies,
  request: ExportReadingsRequest,
  signal: AbortSignal,
): AsyncGenerator<ExportReadingsResponse> {
  const { stallMs = exportStallMs } = dependencies;
  return endedIfStalled(readingsMessages(dependencies, request, signal), stallMs);
}

async function* readingsMessages(
  { store, admission }: ExportDependencies,
  request: ExportReadingsRequest,
  signal: AbortSignal,
): AsyncGenerator<ExportReadingsResponse> {
  using _ = admission.admit();
  const { deviceIds, sensors } = request;
  const { pieces, coverage } = await exportReadings(
    store,
    { filter: { deviceIds, sensors }, timeframe: timeframeOf(request) },
    signal,
  );
  let rows = 0;
  for await (const piece of pieces) {
    const { timestampsMs } = piece;
    for (let start = 0; start < timestampsMs.length; start += messageRowsMax) {
      const readings = timestampsMs.slice(start, start + messageRowsMax).map((timestampMs, place) => ({
        deviceId: piece.deviceIds[start + place] as string,
        sensor: piece.sensors[start + place] as string,
        value: piece.values[start + place] as number,
        timestamp: protoTimestamp(timestampMs),
      }));
      rows += readings.length;
      yield create(ExportReadingsResponseSchema, { readings });
    }
  }
  yield create(ExportReadingsResponseSchema, { end: endOf(rows, coverage()) });
}

/** Answers ExportBuckets in the same way. @throws RpcError INVALID_ARGUMENT on `bucket` and if a group mixes units. */
export function exportBucketsRpc(
  dependencies: ExportDependencies,
  request: ExportBucketsRequest,
  signal: AbortSignal,
): AsyncGenerator<ExportBucketsResponse> {
  const { stallMs = exportStallMs } = dependencies;
  return endedIfStalled(bucketsMessages(dependencies, request, signal), stallMs);
}

async function* bucketsMessages(
  { store, admission, unitOf }: ExportDependencies,
  request: ExportBucketsRequest,
  signal: AbortSignal,
): AsyncGenerator<ExportBucketsResponse> {
  const { windowMs } = store.levels[0] as Level;
  const sizing = exportSizing(request, windowMs);
  using _ = admission.admit();
  const { deviceIds, sensors, groupBy } = request;
  const { pieces, coverage } = await exportBuckets(
    store,
    {
      filter: { deviceIds, sensors },
      grouping: groupingOf(groupBy),
      timeframe: timeframeOf(request),
      sizing,
      unitOf,
    },
    signal,
  );
  let rows = 0;
  for await (const piece of pieces) {
    const { aggregates, buckets: grid } = piece;
    for (let start = 0; start < aggregates.length; start += messageRowsMax) {
      const buckets = aggregates
        .slice(start, start + messageRowsMax)
        .map((aggregate) => bucketMessage(aggregate, grid));
      rows += buckets.length;
      yield create(ExportBucketsResponseSchema, { buckets });
    }
  }
  yield create(ExportBucketsResponseSchema, { end: endOf(rows, coverage()) });
}

function exportSizing({ bucket, calendar }: ExportBucketsRequest, windowMs: number): ExportSizing {
  if (calendar) return calendarSizing(calendar);
  const sizeMs = bucket ? requestedBucketSize(bucket, windowMs) : defaultBucketMs;
  return { kind: "fixed", sizeMs, originMs: undefined };
}

function endOf(rows: number, coverage: AnswerCoverage) {
  return { rows: BigInt(rows), coverage: coverageMessage(coverage) };
}
