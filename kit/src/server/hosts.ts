// The host names that a server accepts.

/** The names by which a browser reaches this machine without DNS, in the notation of a Host header. */
export const loopbackHosts: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** Whether a host is reachable only from this machine, as an address or as a name. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Accepted host names of a server, without ports; "*" for any. */
export type AllowedHosts = readonly string[] | "*";

/** Why a request is rejected by its Host (HTTP/1.1) or :authority (HTTP/2). */
export type HostProblem = { readonly kind: "malformed" | "foreign"; readonly message: string };
