import { createContextKey, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { createHttpGate, type HttpGate } from "./http-access.ts";
import { needOf } from "./scopes.ts";
import { assertStillValid, type TokenRules } from "./token-rules.ts";
import { scopeProblem, type User } from "./user.ts";

/** Decides who may call what. A server needs all its parts. */
export type UserGate = {
  /**
   * Rejects a call whose user is unknown or lacks the scope of the RPC, by its headers alone: the body of a call that
   * is not allowed is never read.
   */
  readonly check: (
    context: Pick<HandlerContext, "service" | "method" | "requestHeader" | "values">,
  ) => Promise<void>;
  /**
   * Ends a stream that outlives its token with UNAUTHENTICATED before the next message. Needs kit's error
   * interceptor around it, which translates RpcErrors.
   */
  readonly interceptor: Interceptor;
  /** The same rules, for resources over plain HTTP. */
  readonly http: HttpGate;
};

/** Returns the user that `check` has identified, for handlers; undefined if authentication is off. */
export const userKey = createContextKey<User | undefined>(undefined, { description: "user" });

/** Creates the gate for users that the rules identify. */
export function createUserGate(rules: TokenRules): UserGate {
  return {
    http: createHttpGate(rules),
    async check({ service, method, requestHeader, values }) {
      const rpc = { service: service.typeName, method: method.name };
      if (needOf(rpc.service, rpc.method)?.kind === "nothing") return;
      const user = await rules.identify(requestHeader);
      const problem = scopeProblem(user, rpc);
      if (problem) throw problem;
      values.set(userKey, user);
    },
    interceptor: (next) => async (request) => {
      if (needOf(request.service.typeName, request.method.name)?.kind === "nothing") return next(request);
      const user = request.contextValues.get(userKey);
      // A server without the gate would admit any client.
      if (user === undefined) throw new Error("the call has not been checked");
      const response = await next(request);
      if (!response.stream) return response;
      return { ...response, message: checkEach(response.message, () => assertStillValid(user, rules)) };
    },
  };
}

async function* checkEach<T>(messages: AsyncIterable<T>, check: () => void): AsyncIterable<T> {
  for await (const message of messages) {
    check();
    yield message;
  }
}
