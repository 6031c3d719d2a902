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

/**
 * Returns the problem of the host of a request, if there is one. Without authentication a server accepts only loopback
 * names: a web page whose own name resolves to 127.0.0.1 (DNS rebinding) would otherwise have the rights of a program
 * on this machine. A request without a host is accepted, because no browser sends one. Pure.
 */
export function hostProblem(authority: string | undefined, allowed: AllowedHosts): HostProblem | undefined {
  if (authority === undefined) return undefined;
  const host = hostOf(authority);
  if (host === undefined) {
    return {
      kind: "malformed",
      message: "the Host header is not a host name or address with an optional port",
    };
  }
  if (allowed === "*" || allowed.includes(host)) return undefined;
  // Any address of 127.0.0.0/8 is this machine's, and DNS cannot define such a name.
  if (allowed === loopbackHosts && isLoopback(host)) return undefined;
  return {
    kind: "foreign",
    message: `this address serves only calls to ${allowed.join(", ")}: authentication is off here; set up TLS and tokens (npm run certs) for other names`,
  };
}

/** Returns the host in lower case and without its port; undefined if it is not valid. */
function hostOf(authority: string): string | undefined {
  const [, host] = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.exec(authority) ?? [];
  return host?.toLowerCase();
}
