import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { resourceExhausted, unavailable } from "@devicemesh/kit/rpc/rpc-error";

/**
 * Limits calls: no unary call takes longer than `timeoutMs`, at most `callsMax` run at a time, and none begins once the
 * server is stopping. Streams have limits of their own.
 * @throws ConnectError DEADLINE_EXCEEDED; RpcError RESOURCE_EXHAUSTED, UNAVAILABLE.
 */
export function createCallLimits(options: {
  readonly timeoutMs: number;
  readonly callsMax: number;
  readonly stopping: AbortSignal;
}): Interceptor {
  const { timeoutMs, callsMax, stopping } = options;
  let running = 0;
  return (next) => async (request) => {
    if (stopping.aborted) throw stoppingError();
    if (request.stream) return next(request);
    if (running >= callsMax) {
      throw resourceExhausted({
        subject: "calls",
        description: `at most ${callsMax} run at a time: try again`,
      });
    }
    const timeout = new AbortController();
    const timer = setTimeout(
      () => timeout.abort(new ConnectError(`not answered within ${timeoutMs} ms`, Code.DeadlineExceeded)),
      timeoutMs,
    );
    running++;
    try {
      return await next({ ...request, signal: AbortSignal.any([request.signal, timeout.signal]) });
    } finally {
      clearTimeout(timer);
      running--;
    }
  };
}

/** The error for callers while the server stops. */
export function stoppingError() {
  return unavailable({ message: "query is stopping", retryDelayMs: 1000 });
}
