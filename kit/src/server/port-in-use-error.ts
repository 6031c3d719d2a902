/** A server could not start because the port is in use. The message names host:port. */
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

/** Formats `host:port`, with brackets for an IPv6 address. */
export function formatAddress(address: { readonly host: string; readonly port: number }): string {
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/** Translates an error of listening to a PortInUseError if that is the cause; any other error is returned unchanged. */
export function asListenError(
  error: unknown,
  address: { readonly host: string; readonly port: number },
): unknown {
  const isInUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
  return isInUse ? new PortInUseError({ ...address, cause: error }) : error;
}
