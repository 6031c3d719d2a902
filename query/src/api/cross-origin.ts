import type { OnePortHandler } from "@devicemesh/kit/server/one-port-server";

const allowedMethods = "GET, POST";
const allowedHeaders = [
  "Content-Type",
  "Connect-Protocol-Version",
  "Connect-Timeout-Ms",
  "Grpc-Timeout",
  "X-Grpc-Web",
  "X-User-Agent",
  "X-Request-Id",
  "Authorization",
].join(", ");
const exposedHeaders = "Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin, X-Request-Id";

/** How long a browser may cache permissions, in seconds. */
const preflightAgeSeconds = 7200;

/**
 * Allows web pages of these origins to call; "*" allows any. Responses to other origins have no headers, so browsers
 * keep them from the page. Preflight requests are answered here.
 */
export function allowOrigins(origins: readonly string[], handler: OnePortHandler): OnePortHandler {
  if (origins.length === 0) return handler;
  const allowed = new Set(origins);
  return (request, response) => {
    const { origin } = request.headers;
    response.setHeader("vary", "Origin");
    const isAllowed = origin !== undefined && (allowed.has(origin) || allowed.has("*"));
    if (isAllowed) {
      response.setHeader("access-control-allow-origin", origin);
      response.setHeader("access-control-expose-headers", exposedHeaders);
    }
    if (request.method !== "OPTIONS") return handler(request, response);
    if (isAllowed) {
      response.setHeader("access-control-allow-methods", allowedMethods);
      response.setHeader("access-control-allow-headers", allowedHeaders);
      response.setHeader("access-control-max-age", String(preflightAgeSeconds));
    }
    response.statusCode = 204;
    response.end();
  };
}
