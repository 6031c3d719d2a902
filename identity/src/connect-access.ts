import type { Interceptor } from "@connectrpc/connect";
import type { DenyList } from "./deny-list.ts";
import { clockToleranceMs } from "./jose-token-verifier.ts";
import { needOf } from "./scopes.ts";
import { type IdentifyUser, scopeProblem, tokenProblem, type User } from "./user.ts";

/**
 * Lets a call pass only if its user has the scope that the RPC needs. Needs kit's error interceptor around
 * it, which translates RpcErrors. A stream that outlives its token ends with UNAUTHENTICATED before the next
 * message.
 */
export function createAccessInterceptor({
  identify,
  denyList,
  clock,
  toleranceMs = clockToleranceMs,
}: {
  readonly identify: IdentifyUser;
  readonly denyList: DenyList;
  /** Ms since 1970. */
  readonly clock: () => number;
  readonly toleranceMs?: number;
}): Interceptor {
  const assertStillValid = (user: User): void => {
    const problem = tokenProblem(user, { nowMs: clock(), denyList, toleranceMs });
    if (problem) throw problem;
  };
  return (next) => async (request) => {
    const rpc = { service: request.service.typeName, method: request.method.name };
    if (needOf(rpc.service, rpc.method)?.kind === "nothing") return next(request);
    const user = await identify(request.header);
    const problem = scopeProblem(user, rpc);
    if (problem) throw problem;
    const response = await next(request);
    if (!response.stream) return response;
    return { ...response, message: checkEach(response.message, () => assertStillValid(user)) };
  };
}

async function* checkEach<T>(messages: AsyncIterable<T>, check: () => void): AsyncIterable<T> {
  for await (const message of messages) {
    check();
    yield message;
  }
}
