/** The names by which a browser reaches this machine without DNS, as a Host header writes them. */
export const loopbackHosts: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** Whether only this machine can connect to what listens on a host, or means it by that name. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Host names that a server answers to, without ports; "*" for any. */
export type AllowedHosts = readonly string[] | "*";

/** Why a request is rejected by its Host (HTTP/1.1) or :authority (HTTP/2). */
export type HostProblem = { readonly kind: "malformed" | "foreign"; readonly message: string };

/**
 * What is wrong with the host that a request names, if anything. Without authentication a server answers to loopback
 * names only: a web page whose own name resolves to 127.0.0.1 (DNS rebinding) would otherwise be as good as a program
 * on this machine. A request without a host passes; no browser sends one. Pure.
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
  // Any address of 127.0.0.0/8 is this machine's, and no name that DNS could point here.
  if (allowed === loopbackHosts && isLoopback(host)) return undefined;
  return {
    kind: "foreign",
    message: `this address serves only calls to ${allowed.join(", ")}: authentication is off here; set up TLS and tokens (npm run certs) for other names`,
  };
}

/** The host in lower case and without its port; undefined if it is none. */
function hostOf(authority: string): string | undefined {
  const [, host] = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.exec(authority) ?? [];
  return host?.toLowerCase();
}
