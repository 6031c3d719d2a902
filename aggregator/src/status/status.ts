import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AggregatorStatusDocument } from "@devicemesh/pipeline";
import { protoTimestamp } from "@devicemesh/proto";
import type { WindowJobStatusSchema } from "@devicemesh/proto/es/devicemesh/v1/pipeline_status_pb.ts";
import type { PartitionOffsets } from "../log/log-access.ts";
import type { WindowJob } from "../window-job/window-job.ts";
import type { WindowJobProgress } from "../window-job/window-job-progress.ts";

type JobObservation = {
  readonly job: Pick<WindowJob, "progress" | "state">;
  /** Number of records of the messages topic that it has not read. */
  readonly lag: number;
  /** Ms since 1970. */
  readonly nowMs: number;
};

/**
 * Returns the number of records of the messages topic that the job has not read yet; all of them before its first
 * batch.
 */
export function jobLag(progress: WindowJobProgress | undefined, ends: PartitionOffsets): number {
  let lag = 0;
  for (const [partition, end] of ends) lag += Math.max(end - (progress?.endOffsets.get(partition) ?? 0), 0);
  return lag;
}

/** Returns the document that publishes the state of the window job. */
export function statusDocument(
  options: JobObservation & { readonly holder: string; readonly problems: readonly string[] },
): Omit<AggregatorStatusDocument, "_id"> {
  const { job, lag, nowMs, holder, problems } = options;
  const state = job.state();
  const progress = job.progress();
  return {
    updated: new Date(nowMs),
    holder,
    state: state.kind.toUpperCase(),
    checkpoint: state.checkpoint,
    batch: progress?.batch ?? null,
    watermark: progress?.watermarkMs === undefined ? null : new Date(progress.watermarkMs),
    input_rows_per_second: progress?.inputRowsPerSecond ?? 0,
    processed_rows_per_second: progress?.processedRowsPerSecond ?? 0,
    batch_ms: progress?.batchMs ?? 0,
    state_rows: progress?.stateRows ?? 0,
    rows_dropped: progress?.rowsDropped ?? 0,
    lag,
    restarts: state.restarts,
    last_error: state.error ?? null,
    spark_version: state.sparkVersion ?? null,
    problems: [...problems],
  };
}

/** Returns the same as a message of the contract. */
export function windowJobStatus({
  job,
  lag,
  nowMs,
}: JobObservation): MessageInitShape<typeof WindowJobStatusSchema> {
  const state = job.state();
  const progress = job.progress();
  const batchMs = Math.round(progress?.batchMs ?? 0);
  return {
    state: state.kind.toUpperCase(),
    checkpoint: state.checkpoint,
    ...(progress?.batch !== undefined && { batch: BigInt(progress.batch) }),
    ...(progress?.watermarkMs !== undefined && { watermark: protoTimestamp(progress.watermarkMs) }),
    inputRowsPerSecond: progress?.inputRowsPerSecond ?? 0,
    processedRowsPerSecond: progress?.processedRowsPerSecond ?? 0,
    batchDuration: { seconds: BigInt(Math.floor(batchMs / 1000)), nanos: (batchMs % 1000) * 1_000_000 },
    stateRows: BigInt(progress?.stateRows ?? 0),
    rowsDropped: BigInt(progress?.rowsDropped ?? 0),
    lag: BigInt(lag),
    restarts: BigInt(state.restarts),
    lastError: state.error ?? "",
    observed: protoTimestamp(nowMs),
  };
}
