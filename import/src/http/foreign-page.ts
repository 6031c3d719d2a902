import { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import type { OnePortRequest } from "@devicemesh/kit/server/one-port-server";

/**
 * Rejects the requests of web pages of other origins: a page that a user happens to open could otherwise store
 * readings without being asked.
 * @throws RpcError PERMISSION_DENIED.
 */
export function rejectForeignPage(request: OnePortRequest, origins: readonly string[]): void {
  const { origin } = request.headers;
  if (origin === undefined || origins.includes(origin) || origins.includes("*")) return;
  const authority = "authority" in request ? request.authority || request.headers.host : request.headers.host;
  if (URL.canParse(origin) && new URL(origin).host === authority) return;
  throw new RpcError({
    code: "PERMISSION_DENIED",
    message: `web pages of ${origin.slice(0, 100)} may not load recordings: add it with --cors-origin`,
  });
}
