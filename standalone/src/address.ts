import { formatAddress } from "@devicemesh/kit/server/port-in-use-error";

/** Where a client on this machine reaches what listens on `host:port`: an address that means all is not one to call. */
export function localAddressOf(host: string, port: number): string {
  const local: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  return formatAddress({ host: local[host] ?? host, port });
}
