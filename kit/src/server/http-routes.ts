import { respondError } from "../rpc/requests/rejected-requests.ts";
import { toStatus } from "../rpc/rpc-error.ts";
import { cutResponse, isAbandoned, respondHttpError } from "./http-errors.ts";
import type { OnePortHandler, OnePortRequest, OnePortResponse } from "./one-port-server.ts";

/** A resource that a server offers over plain HTTP, besides its RPCs. */
export type HttpRoute = {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** The path, exactly; or, if it ends in `/*`, every path below it. */
  readonly path: string;
  /**
   * Handles requests; `url` has the path and query. If it rejects with an RpcError, the response is that error as JSON
   * (`respondHttpError`); with anything else it is 500. Once the response has begun, it is cut instead.
   */
  handle(request: OnePortRequest, response: OnePortResponse, url: URL): void | Promise<void>;
};

/**
 * Dispatches requests to routes. An exact path takes precedence over `/*`, a longer prefix over a shorter one. GET
 * routes answer HEAD too. Another method on a known path is answered with 405 and `allow`, an unknown path by
 * `fallback` (404 by default). `onError` receives the errors whose text the caller does not, unless the caller has
 * disconnected.
 */
export function createHttpRoutes(
  routes: readonly HttpRoute[],
  {
    fallback = (_, response) => respondError(response, 404, "not_found", "nothing is at this path"),
    onError = () => {},
  }: { readonly fallback?: OnePortHandler; onError?(error: unknown): void } = {},
): OnePortHandler {
  const byPath = Map.groupBy(routes, ({ path }) => path);
  const prefixes = [...byPath.keys()]
    .filter((path) => path.endsWith("/*"))
    .sort((a, b) => b.length - a.length);

  function candidates(path: string): readonly HttpRoute[] {
    const prefix = prefixes.find((candidate) => path.startsWith(candidate.slice(0, -1)));
    return byPath.get(path) ?? (prefix === undefined ? [] : (byPath.get(prefix) ?? []));
  }
  function failed(error: unknown, response: OnePortResponse): void {
    // Whatever fails after its client has disconnected fails because of that.
    if (isAbandoned(response)) return;
    if (toStatus(error).internal) onError(error);
    if (response.headersSent) cutResponse(response);
    else respondHttpError(response, error);
  }
  async function run(
    route: HttpRoute,
    request: OnePortRequest,
    response: OnePortResponse,
    url: URL,
  ): Promise<void> {
    try {
      await route.handle(request, response, url);
    } catch (error) {
      failed(error, response);
    }
  }
  return (request, response) => {
    const url = urlOf(request);
    if (url === undefined) return respondError(response, 400, "invalid_argument", "the path is malformed");
    const found = candidates(url.pathname);
    if (found.length === 0) return fallback(request, response);
    const method = request.method === "HEAD" ? "GET" : request.method;
    const route = found.find((candidate) => candidate.method === method);
    if (route !== undefined) {
      void run(route, request, response, url);
      return;
    }
    const allowed = found.map((candidate) => candidate.method).join(", ");
    response.setHeader("allow", allowed);
    respondError(response, 405, "unimplemented", `${request.method} is not allowed here: use ${allowed}`);
  };
}

function urlOf(request: OnePortRequest): URL | undefined {
  const target = request.url ?? "/";
  // The authority does not matter, and a target may begin with two slashes.
  return target.startsWith("/") && URL.canParse(`http://host${target}`)
    ? new URL(`http://host${target}`)
    : undefined;
}
