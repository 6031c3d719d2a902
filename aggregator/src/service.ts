import type { ServiceImpl } from "@connectrpc/connect";
import { unavailable } from "@devicemesh/kit/rpc/rpc-error";
import { type Level, protoTimestamp } from "@devicemesh/proto";
import type { AggregatorService } from "@devicemesh/proto/es/devicemesh/v1/aggregator_service_pb.ts";
import type { ActiveAggregator } from "./active-aggregator.ts";
import { windowJobStatus } from "./status/status.ts";
import type { PublishedFrontier } from "./store/aggregator-store.ts";

/** What an aggregator knows at a moment. */
export type AggregatorView = {
  /** What only the active one has; undefined in one that waits. */
  readonly active: ActiveAggregator | undefined;
  /** Who is active, as far as known. */
  readonly holder: string;
  /** The published frontier as last seen; undefined before the database was reached. */
  readonly published: PublishedFrontier | undefined;
  /** The levels of the mesh, the finest first; none before they are known. */
  readonly levels: readonly Level[];
  readonly problems: readonly string[];
};

/** Makes the implementation of AggregatorService. It answers from memory, also when every engine is away. */
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
