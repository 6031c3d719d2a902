/** A server could not start because something listens there already. The message names host:port. */
export class PortInUseError extends Error {
  readonly host: string;
  readonly port: number;

  constructor(options: { readonly host: string; readonly port: number; readonly cause?: unknown }) {
    super(`${formatAddress(options)} is already in use`, { cause: options.cause });
    this.name = "PortInUseError";
    this.host = options.host;
    this.port = options.port;
  }
}

/** `host:port`, with the brackets that an IPv6 address needs. */
export function formatAddress(address: { readonly host: string; readonly port: number }): string {
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/** Says a failed listen as a PortInUseError if that is what it was; any other error is returned as it is. */
export function asListenError(
  error: unknown,
  address: { readonly host: string; readonly port: number },
): unknown {
  const isInUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
  return isInUse ? new PortInUseError({ ...address, cause: error }) : error;
}
