import type { MessageInitShape } from "@bufbuild/protobuf";
import { protoTimestamp } from "@devicemesh/proto";
import type {
  PipelineStatusSchema,
  WindowJobStatusSchema,
} from "@devicemesh/proto/es/devicemesh/v1/pipeline_status_pb.ts";
import type { StoreParts, WindowJobReport } from "../store/store-status.ts";

/** Components report every few seconds; one without a report for longer is a problem. */
export const silenceMaxMs = 10_000;

/** Converts the components' reports to the contract's form. A component that has stopped reporting is a problem. */
export function partsMessage(
  parts: StoreParts,
  nowMs: number,
): Pick<
  MessageInitShape<typeof PipelineStatusSchema>,
  "deadLetters" | "connectors" | "windowJob" | "dirtyWindows" | "repairedWindows" | "problems"
> {
  const { reports, deadLetters, connectors, windowJob, dirtyWindows, repairedWindows, problems } = parts;
  return {
    deadLetters: deadLetters.map(({ kind, count }) => ({ kind, count: BigInt(count) })),
    connectors: connectors.map((connector) => ({
      ...connector,
      tasks: [...connector.tasks],
      lag: BigInt(connector.lag),
      restarts: BigInt(connector.restarts),
    })),
    ...(windowJob && { windowJob: windowJobMessage(windowJob) }),
    dirtyWindows: BigInt(dirtyWindows),
    repairedWindows: BigInt(repairedWindows),
    problems: [...reports.flatMap((report) => silence(report, nowMs)), ...problems],
  };
}

/** Returns the fields of a google.protobuf.Duration for milliseconds. */
export function duration(ms: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: Math.round((ms % 1000) * 1_000_000) };
}

function silence({ name, reportedMs }: StoreParts["reports"][number], nowMs: number): string[] {
  if (reportedMs === undefined) return [`the ${name} has never reported: start it`];
  const silentMs = nowMs - reportedMs;
  return silentMs > silenceMaxMs
    ? [`the ${name} has not reported for ${Math.round(silentMs / 1000)} s: see whether it runs`]
    : [];
}

function windowJobMessage(job: WindowJobReport): MessageInitShape<typeof WindowJobStatusSchema> {
  const { batch, watermarkMs, batchMs, stateRows, rowsDropped, lag, restarts, observedMs, ...rest } = job;
  return {
    ...rest,
    ...(batch !== undefined && { batch: BigInt(batch) }),
    ...(watermarkMs !== undefined && { watermark: protoTimestamp(watermarkMs) }),
    batchDuration: duration(batchMs),
    stateRows: BigInt(stateRows),
    rowsDropped: BigInt(rowsDropped),
    lag: BigInt(lag),
    restarts: BigInt(restarts),
    observed: protoTimestamp(observedMs),
  };
}
