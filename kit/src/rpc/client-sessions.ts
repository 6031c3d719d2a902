import type { ClientHttp2Session, ClientSessionOptions, SecureClientSessionOptions } from "node:http2";
import { Http2SessionManager } from "@connectrpc/connect-node";

/** The connection of a client of connect-node; `abort` closes it, and fails its open calls with the reason. */
export type ClientSessions = Pick<
  Http2SessionManager,
  "authority" | "request" | "notifyResponseByteRead" | "abort"
>;

/**
 * Creates the connection of one client to a server, with pings if their interval is given (ms).
 *
 * connect-node destroys a connection without calls when the server sends GOAWAY (a proxy that restarts, a limit of age),
 * and removes its listeners if another call begins before the socket has closed: the error of the old connection is then
 * an uncaught exception, which ends the process (connectrpc/connect-es, issue 1768). Each connection has a listener of
 * its own here, which ignores that error; connect-node reports errors to the calls as before.
 */
export function createClientSessions(
  baseUrl: string,
  ping: { readonly pingIntervalMs?: number; readonly pingTimeoutMs?: number } = {},
  http2: ClientSessionOptions | SecureClientSessionOptions = {},
): ClientSessions {
  const manager = new Http2SessionManager(baseUrl, ping, http2);
  const guarded = new WeakSet<ClientHttp2Session>();

  return {
    authority: manager.authority,
    async request(...call) {
      const stream = await manager.request(...call);
      const session = stream.session as ClientHttp2Session | undefined;
      if (session !== undefined && !guarded.has(session)) {
        guarded.add(session);
        session.on("error", () => {});
      }
      return stream;
    },
    notifyResponseByteRead: (stream) => manager.notifyResponseByteRead(stream),
    abort: (reason) => manager.abort(reason),
  };
}
