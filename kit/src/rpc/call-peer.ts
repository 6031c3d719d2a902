import { createContextKey } from "@connectrpc/connect";
import type { OnePortRequest } from "../server/one-port-server.ts";

/** In the context values of a Connect call: the `address:port` of its connection. */
export const peerKey = createContextKey("", { description: "peer" });

/** Returns the `address:port` of the peer; only a part of it for a closed connection. */
export function peerOfRequest(request: OnePortRequest): string {
  // The socket of an HTTP/2 request throws once its session is destroyed.
  const socket = "stream" in request ? request.stream.session?.socket : request.socket;
  return `${socket?.remoteAddress}:${socket?.remotePort}`;
}
