import type { HttpRoute } from "@devicemesh/kit/server/http-routes";
import type { OnePortRequest } from "@devicemesh/kit/server/one-port-server";
import { permissionDenied } from "../access-error.ts";
import type { Scope } from "./scopes.ts";
import { assertStillValid, type TokenRules } from "./token-rules.ts";
import type { User } from "./user.ts";

/** Decides who may use the resources beside the RPCs. */
export type HttpGate = {
  /**
   * Returns the route restricted to users whose token has the scope. Other requests get 401 or 403 with the reason as
   * JSON, by their headers alone: the body of a request that is not allowed is never read.
   */
  guard(scope: Scope, route: HttpRoute): HttpRoute;
  /** Returns the user of a request that a guarded route admitted; undefined if authentication is off. */
  userOf(request: OnePortRequest): User | undefined;
  /**
   * For long responses: call it between their parts.
   * @throws RpcError UNAUTHENTICATED if the token of an admitted request is no longer valid.
   */
  assertStillValid(request: OnePortRequest): void;
};

/** The gate if authentication is off: it admits every request. */
export const openHttpGate: HttpGate = {
  guard: (_, route) => route,
  userOf: () => undefined,
  assertStillValid() {},
};

/** Creates the gate for users that the rules identify. */
export function createHttpGate(rules: TokenRules): HttpGate {
  const admitted = new WeakMap<OnePortRequest, User>();
  return {
    guard: (scope, route) => ({
      ...route,
      async handle(request, response, url) {
        const user = await rules.identify(headersOf(request));
        if (!user.scopes.has(scope)) throw scopeMissing(route, scope, user);
        admitted.set(request, user);
        await route.handle(request, response, url);
      },
    }),
    userOf: (request) => admitted.get(request),
    assertStillValid(request) {
      const user = admitted.get(request);
      // A route without its guard would serve any client.
      if (user === undefined) throw new Error("the request has not been checked");
      assertStillValid(user, rules);
    },
  };
}

function scopeMissing({ method, path }: HttpRoute, scope: Scope, user: User) {
  const resource = `${method} ${path}`;
  return permissionDenied({
    reason: "SCOPE_MISSING",
    message: `${resource} needs a token with the scope ${scope}`,
    metadata: { resource, scope, scopes: [...user.scopes].join(" ") },
  });
}

/** Node returns a repeated header as a list only for a few names, none of which identifies a user. */
function headersOf({ headers }: OnePortRequest): Pick<Headers, "get"> {
  return {
    get(name) {
      const value = headers[name];
      return typeof value === "string" ? value : (value?.join(", ") ?? null);
    },
  };
}
