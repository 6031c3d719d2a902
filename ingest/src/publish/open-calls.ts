import type { Logger } from "@devicemesh/kit/observability/logger";
import { RpcError, toStatus, unavailable } from "@devicemesh/kit/rpc/rpc-error";
import type { PublishReadingsResponse } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { IngestCounters } from "../counters.ts";
import type { UnitResult } from "./commit-unit.ts";

/** A call of either method, over any protocol. */
export type IngestCall = {
  /** `/package.Service/Method`. */
  readonly path: string;
  /**
   * The listener is called when no client waits for the response any more: cancelled, deadline passed, disconnected.
   */
  onAbandoned(listener: () => void): void;
};

/** How a call is answered. */
export type CallAnswer =
  | { readonly kind: "response"; readonly response: PublishReadingsResponse }
  /** `requestId` names the call in the log, if the caller receives less than the log. */
  | { readonly kind: "error"; readonly error: unknown; readonly requestId?: string | undefined }
  | { readonly kind: "abandoned" };

/** The open calls, each answered exactly once. */
export type OpenCalls = {
  /** Number of open calls. */
  readonly size: number;
  /**
   * Resolves to the response of `work`, or its error. `signal` aborts when the call is abandoned or cut; `work` should
   * then reject soon. It counts as success only if the client stayed connected to the end.
   */
  serve(call: IngestCall, work: (signal: AbortSignal) => Promise<UnitResult>): Promise<CallAnswer>;
  /** From now on new calls are answered with UNAVAILABLE. Resolves when none is open. */
  drain(): Promise<void>;
  /** Answers the open calls with UNAVAILABLE. */
  cut(): void;
};

/** Creates a set without calls. */
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

  function failed(error: unknown, { path }: IngestCall): CallAnswer {
    counters.failedUnits++;
    const isForLog = toStatus(error).internal || (error instanceof RpcError && error.cause !== undefined);
    if (!isForLog) return { kind: "error", error };
    const requestId = createRequestId();
    logger.error({ error, method: path, requestId }, "a call failed");
    return { kind: "error", error, requestId };
  }

  function succeeded({ response, refusedByRule }: UnitResult): CallAnswer {
    counters.units++;
    counters.accepted += Number(response.accepted);
    counters.refused += Number(response.refused);
    for (const [rule, count] of refusedByRule) {
      counters.refusedByRule.set(rule, (counters.refusedByRule.get(rule) ?? 0) + count);
    }
    return { kind: "response", response };
  }

  return {
    get size() {
      return open.size;
    },
    async serve(call, work) {
      if (draining) return failed(shuttingDown(), call);
      const controller = new AbortController();
      const { signal } = controller;
      open.add(controller);
      call.onAbandoned(() => controller.abort(abandoned));
      try {
        const result = await work(signal);
        signal.throwIfAborted();
        return succeeded(result);
      } catch (error) {
        if (!signal.aborted) return failed(error, call);
        if (signal.reason !== abandoned) return failed(signal.reason, call);
        counters.abandonedUnits++;
        return { kind: "abandoned" };
      } finally {
        open.delete(controller);
        if (draining && open.size === 0) drained.resolve();
      }
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

/** Why a call's signal aborts when no caller waits for its answer. */
const abandoned = new RpcError({ code: "CANCELLED", message: "the client disconnected" });
