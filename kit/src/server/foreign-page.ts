import type { OnePortRequest } from "./one-port-server.ts";

/**
 * Returns the origin of the web page that sends a request, if it is foreign: neither the address that the request is
 * sent to nor among `origins` (`*` allows all). Otherwise a page that a user happens to open could send data without
 * permission. At most 100 characters, for an error message. Undefined for other clients and for our own pages.
 */
export function foreignPageOf(request: OnePortRequest, origins: readonly string[]): string | undefined {
  const { origin } = request.headers;
  if (origin === undefined || origins.includes(origin) || origins.includes("*")) return undefined;
  const authority = "authority" in request ? request.authority || request.headers.host : request.headers.host;
  return URL.canParse(origin) && new URL(origin).host === authority ? undefined : origin.slice(0, 100);
}
