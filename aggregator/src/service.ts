import type { ServiceImpl } from "@connectrpc/connect";
import { unavailable } from "@devicemesh/kit/rpc/rpc-error";
import { type Level, protoTimestamp } from "@devicemesh/proto";
import type { AggregatorService } from "@devicemesh/proto/es/devicemesh/v1/aggregator_service_pb.ts";
import type { ActiveAggregator } from "./active-aggregator.ts";
import { windowJobStatus } from "./status/status.ts";
import type { PublishedFrontier } from "./store/aggregator-store.ts";

/** The current state of an aggregator. */
export type AggregatorView = {
  /** The state that only the leader has; undefined on a standby. */
  readonly active: ActiveAggregator | undefined;
  /** The leader, as far as known. */
  readonly holder: string;
  /** The published frontier as last read; undefined before the database was reached. */
  readonly published: PublishedFrontier | undefined;
  /** The levels of the mesh, the finest first; none before they are known. */
  readonly levels: readonly Level[];
  readonly problems: readonly string[];
};

/** Creates the implementation of AggregatorService. It answers from memory, also while every engine is unavailable. */
export function createAggregatorService(dependencies: {
  readonly view: () => AggregatorView;
  /** Ms since 1970. */
  readonly clock: () => number;
}): ServiceImpl<typeof AggregatorService> {
  return {
    getWindowJobStatus() {
      const { active, holder, published, problems } = dependencies.view();
      const known = active ? activeFrontier(active) : published;
      if (!known) {
        throw unavailable({
          message: `nothing is known yet: ${problems.join("; ") || "starting"}`,
          retryDelayMs: 1000,
        });
      }
      return {
        active: active !== undefined,
        holder,
        ...(active && {
          windowJob: windowJobStatus({ job: active.job, lag: active.lag(), nowMs: dependencies.clock() }),
        }),
        completeThrough: protoTimestamp(known.completeThroughMs),
        frontiers: known.frontiersMs.map(protoTimestamp),
        problems: [...problems],
      };
    },
  };
}

function activeFrontier({ progress }: ActiveAggregator): Omit<PublishedFrontier, "logEndMs"> {
  return {
    completeThroughMs: progress.observation.completeThroughMs ?? 0,
    frontiersMs: progress.frontiersMs,
  };
}
