import type { Level } from "@devicemesh/proto";
import type {
  WatchAggregatesRequest,
  WatchAggregatesResponse,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type { SharedWatches } from "./shared-watches.ts";
import type { WatchAdmission } from "./watch-admission.ts";
import { watchQuestionOf } from "./watch-question.ts";

/** The dependencies of watching. */
export type WatchDependencies = {
  readonly store: Pick<ReadingStore, "levels">;
  readonly watches: SharedWatches;
  readonly admission: WatchAdmission;
  /** Aborts when the server begins to stop: watches then end without an error. */
  readonly stopping: AbortSignal;
};

/** The watcher, and the end of its permission. */
export type WatchCall = {
  readonly signal: AbortSignal;
  /** The user, or what distinguishes callers without authentication. */
  readonly caller?: string | undefined;
};

/**
 * Answers WatchAggregates: the last buckets, also if there are none yet, then those that have changed since the
 * previous message. For each watcher it keeps only its last version, and it reads nothing while the watcher is slow.
 * @throws RpcError like ListBuckets, RESOURCE_EXHAUSTED if there are too many watches, UNAVAILABLE if the store
 * closes; the signal's reason if the call's deadline passes.
 */
export async function* watchAggregates(
  { store, watches, admission, stopping }: WatchDependencies,
  request: WatchAggregatesRequest,
  { signal, caller }: WatchCall,
): AsyncGenerator<WatchAggregatesResponse> {
  using _ = admission.admit(caller);
  const question = watchQuestionOf(request, (store.levels[0] as Level).windowMs);
  try {
    yield* watches.watch(question, AbortSignal.any([signal, stopping]));
  } catch (error) {
    if (stopping.aborted) return;
    // The call's own reason is better than that of the interrupted wait.
    signal.throwIfAborted();
    throw error;
  }
  // A deadline is reported; a disconnected client receives nothing anyway.
  if (!stopping.aborted) signal.throwIfAborted();
}
