import { isLoopbackAddress, networkOf } from "@devicemesh/kit/server/client-network";

/**
 * Identifies a watcher without authentication: by the network of the address, or, because all clients on this machine
 * have one address, by the connection. `peer` is the `address:port` of the connection; `forwardedFor` is the header
 * x-forwarded-for, in which a proxy on this machine names its client. Undefined for a client on this machine behind
 * such a proxy: many share its few connections.
 */
export function watchCallerOf(peer: string, forwardedFor: string | null): string | undefined {
  const address = peer.slice(0, peer.lastIndexOf(":"));
  if (!isLoopbackAddress(address)) return `the address ${networkOf(address)}`;
  // The last entry is the proxy's own; the client may have forged the earlier ones.
  const forwarded = forwardedFor?.split(",").at(-1)?.trim();
  if (!forwarded) return `the connection ${peer}`;
  return isLoopbackAddress(forwarded) ? undefined : `the address ${networkOf(forwarded)}`;
}
