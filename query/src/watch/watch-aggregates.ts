import type { Level } from "@devicemesh/proto";
import type {
  WatchAggregatesRequest,
  WatchAggregatesResponse,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type { SharedWatches } from "./shared-watches.ts";
import type { WatchAdmission } from "./watch-admission.ts";
import { watchQuestionOf } from "./watch-question.ts";

/** What watching needs. */
export type WatchDependencies = {
  readonly store: Pick<ReadingStore, "levels">;
  readonly watches: SharedWatches;
  readonly admission: WatchAdmission;
  /** Aborts when the server begins to stop: watches end then, without an error. */
  readonly stopping: AbortSignal;
};

/** Who watches, and until when. */
export type WatchCall = {
  readonly signal: AbortSignal;
  /** The user, or what tells callers apart where users are not known. */
  readonly caller?: string | undefined;
};

/**
 * Answers WatchAggregates: the last buckets, also if there are none yet, then those that have changed since
 * the message before. It holds nothing for a watcher but what it was sent last, and reads nothing while the
 * watcher is slow.
 * @throws RpcError as ListBuckets does, RESOURCE_EXHAUSTED if there are too many watches, UNAVAILABLE if the store
 *   closes; the signal's reason if the call's deadline passes.
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
    // Rather the call's own reason than that of the wait it broke.
    signal.throwIfAborted();
    throw error;
  }
  // A deadline is reported; a client that has gone hears nothing anyway.
  if (!stopping.aborted) signal.throwIfAborted();
}
