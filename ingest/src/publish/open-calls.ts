import type { Logger } from "@devicemesh/kit/observability/logger";
import { toGrpcServiceError } from "@devicemesh/kit/rpc/grpc-js-status";
import { RpcError, toStatus, unavailable } from "@devicemesh/kit/rpc/rpc-error";
import type { PublishReadingsResponse } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { ServerReadableStream, ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import type { IngestCounters } from "../counters.ts";
import type { UnitResult } from "./commit-unit.ts";

/** A call of either method; the bytes are decoded by us. */
export type IngestCall =
  | ServerReadableStream<Buffer, PublishReadingsResponse>
  | ServerUnaryCall<Buffer, PublishReadingsResponse>;

/** The calls that are open, each answered exactly once. */
export type OpenCalls = {
  /** How many there are. */
  readonly size: number;
  /**
   * Answers a call with the response that `work` resolves to, or with its error. `signal` aborts when nobody waits for
   * the answer any more (cancelled, deadline passed, client dead) or the call is cut; `work` should then
   * reject soon. It counts as success only if the client was there to the end.
   */
  serve(
    call: IngestCall,
    callback: sendUnaryData<PublishReadingsResponse>,
    work: (signal: AbortSignal) => Promise<UnitResult>,
  ): void;
  /** From now on new calls are answered with UNAVAILABLE. Resolves when none is open. */
  drain(): Promise<void>;
  /** Answers the calls that are still open with UNAVAILABLE. */
  cut(): void;
};

/** No calls yet. */
export function createOpenCalls({
  counters,
  logger,
  createRequestId,
  retryDelayMs,
}: {
  readonly counters: IngestCounters;
  readonly logger: Logger;
  readonly createRequestId: () => string;
  readonly retryDelayMs: number;
}): OpenCalls {
  const open = new Set<AbortController>();
  let draining = false;
  const drained = Promise.withResolvers<void>();

  function shuttingDown(): RpcError {
    return unavailable({ message: "ingest is shutting down", retryDelayMs });
  }

  function answerError(
    error: unknown,
    call: IngestCall,
    callback: sendUnaryData<PublishReadingsResponse>,
  ): void {
    counters.failedUnits++;
    const status = toStatus(error);
    const serviceError = toGrpcServiceError(error);
    if (status.internal || (error instanceof RpcError && error.cause !== undefined)) {
      const requestId = createRequestId();
      serviceError.metadata?.set("x-request-id", requestId);
      logger.error({ error, method: call.getPath(), requestId }, "a call failed");
    }
    callback(serviceError);
  }

  async function run(
    call: IngestCall,
    callback: sendUnaryData<PublishReadingsResponse>,
    work: (signal: AbortSignal) => Promise<UnitResult>,
    controller: AbortController,
  ): Promise<void> {
    try {
      const { response, refusedByRule } = await work(controller.signal);
      controller.signal.throwIfAborted();
      counters.units++;
      counters.accepted += Number(response.accepted);
      counters.refused += Number(response.refused);
      for (const [rule, count] of refusedByRule) {
        counters.refusedByRule.set(rule, (counters.refusedByRule.get(rule) ?? 0) + count);
      }
      callback(null, response);
    } catch (error) {
      if (controller.signal.aborted && controller.signal.reason === abandoned) counters.abandonedUnits++;
      else answerError(controller.signal.aborted ? controller.signal.reason : error, call, callback);
    } finally {
      open.delete(controller);
      if (draining && open.size === 0) drained.resolve();
    }
  }

  return {
    get size() {
      return open.size;
    },
    serve(call, callback, work) {
      if (draining) {
        answerError(shuttingDown(), call, callback);
        return;
      }
      const controller = new AbortController();
      open.add(controller);
      call.on("cancelled", () => controller.abort(abandoned));
      void run(call, callback, work, controller);
    },
    drain() {
      draining = true;
      if (open.size === 0) drained.resolve();
      return drained.promise;
    },
    cut() {
      for (const controller of open) controller.abort(shuttingDown());
    },
  };
}

/** Why a call's signal aborts when nobody waits for its answer. */
const abandoned = new RpcError({ code: "CANCELLED", message: "the client disconnected" });
