import { formatAddress } from "@devicemesh/kit/server/port-in-use-error";

/**
 * Returns the address at which a client on this machine reaches a server on `host:port`: the address of all interfaces
 * cannot be called.
 */
export function localAddressOf(host: string, port: number): string {
  const local: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  return formatAddress({ host: local[host] ?? host, port });
}
