import { createContextKey } from "@connectrpc/connect";
import type { OnePortRequest } from "../server/one-port-server.ts";

/** In the context values of a Connect call: the `address:port` of the connection that it came on. */
export const peerKey = createContextKey("", { description: "peer" });

/** The `address:port` of the other end; of a connection that is gone, only a part of it. */
export function peerOfRequest(request: OnePortRequest): string {
  // The socket of an HTTP/2 request throws once its session is destroyed.
  const socket = "stream" in request ? request.stream.session?.socket : request.socket;
  return `${socket?.remoteAddress}:${socket?.remotePort}`;
}
