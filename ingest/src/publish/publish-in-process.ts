import {
  IngestServiceService,
  type PublishReadingBatchResponse,
} from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import { type PublishDependencies, publishReadingBatch } from "./publish-readings.ts";

/**
 * PublishReadingBatch for other parts of this process that have authenticated the sender: no identity, no network.
 * Rejects with the error of the call, or with the signal's reason when it aborts.
 */
export type PublishInProcess = (frame: Buffer, signal: AbortSignal) => Promise<PublishReadingBatchResponse>;

const { path } = IngestServiceService.publishReadingBatch;

/** Publishes through the same admission and counters as calls over the network. */
export function createPublishInProcess(dependencies: PublishDependencies): PublishInProcess {
  const { calls } = dependencies;
  return async (frame, signal) => {
    signal.throwIfAborted();
    const call = calls.open(path);
    signal.addEventListener("abort", () => calls.abandon(call), { once: true });
    const answer = await calls.answer(call, () =>
      publishReadingBatch(dependencies, { frame, publisher: undefined, signal: call.signal }),
    );
    if (answer.kind === "response") return answer.response;
    throw answer.kind === "error" ? answer.error : signal.reason;
  };
}
