import type { PublishReadingBatchResponse } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { handleUnaryCall } from "@grpc/grpc-js";
import { createAppendWindow } from "./append-window.ts";
import { createCommitUnit } from "./commit-unit.ts";
import type { IngestHandlerDependencies } from "./service.ts";

/** PublishReadingBatch: one frame is one commit unit. */
export function createPublishReadingBatch({
  calls,
  intake,
  log,
  room,
  config,
  identityOf,
}: IngestHandlerDependencies): handleUnaryCall<Buffer, PublishReadingBatchResponse> {
  return (call, callback) => {
    calls.serve(call, callback, async (signal) => {
      const publisher = identityOf?.(call);
      const unit = createCommitUnit(config.refusedListMax);
      const window = createAppendWindow({ log, room, appendsMax: 1, signal, onFailure() {} });
      await window.add(intake(call.request, unit, publisher));
      await window.drained();
      return unit.result();
    });
  };
}
