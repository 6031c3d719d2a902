import type { MessageInitShape } from "@bufbuild/protobuf";
import { protoTimestamp } from "@devicemesh/proto";
import type { GetPipelineStatusResponseSchema } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import { duration, partsMessage } from "./pipeline-parts.ts";

/** The inputs of the status besides the store. */
export type PipelineStatusDependencies = {
  readonly store: ReadingStore;
  /** Ms since 1970. */
  readonly clock: () => number;
  /** Start of the pipeline, ms since 1970. */
  readonly startedMs: number;
  /** Versions of the components that the store does not know, by name. */
  readonly versions: Readonly<Record<string, string>>;
};

/** Answers GetPipelineStatus. A lag is reported only if something has been folded. */
export async function getPipelineStatus(
  { store, clock, startedMs, versions }: PipelineStatusDependencies,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof GetPipelineStatusResponseSchema>> {
  const status = await store.readStatus(signal);
  const { logEndMs, horizon, refused } = status;
  const nowMs = clock();
  const parts = status.parts && partsMessage(status.parts, nowMs);
  return {
    status: {
      ...(logEndMs !== undefined && { logEnd: protoTimestamp(logEndMs) }),
      completeThrough: protoTimestamp(horizon.completeThroughMs),
      storeLag: duration(Math.max((logEndMs ?? 0) - horizon.completeThroughMs, 0)),
      levels: store.levels.map(({ windowMs, segmentMs }, level) => {
        const frontierMs = horizon.frontiersMs[level] ?? 0;
        const keptSinceMs = horizon.levelsKeptSinceMs[level] ?? Number.NEGATIVE_INFINITY;
        return {
          window: duration(windowMs),
          segment: duration(segmentMs),
          ...(frontierMs > 0 && {
            frontier: protoTimestamp(frontierMs),
            lag: duration(Math.max(nowMs - frontierMs, 0)),
          }),
          partials: BigInt(status.partialCounts[level] ?? 0),
          ...(Number.isFinite(keptSinceMs) && { keptSince: protoTimestamp(keptSinceMs) }),
        };
      }),
      storedReadings: BigInt(status.storedReadings),
      series: BigInt(status.series),
      duplicates: BigInt(status.duplicates),
      conflicts: BigInt(status.conflicts),
      ...(refused !== undefined && { refused: BigInt(refused) }),
      storedPerSecond: status.storedPerSecond,
      diskBytes: BigInt(status.diskBytes),
      ...(Number.isFinite(horizon.rawKeptSinceMs) && {
        rawKeptSince: protoTimestamp(horizon.rawKeptSinceMs),
      }),
      versions: { ...versions, ...status.versions },
      started: protoTimestamp(startedMs),
      ...parts,
      problems: [...(status.problems ?? []), ...(parts?.problems ?? [])],
    },
  };
}
