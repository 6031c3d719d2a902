/** Limits on the connections of a server. */
export type ConnectionLimits = {
  /**
   * Number of concurrent connections. A further one replaces the oldest idle one, and is closed at once if there is
   * none.
   */
  readonly connectionsMax: number;
  /** Connections of one address, or of one /64 network of IPv6; further ones are closed at once. */
  readonly addressConnectionsMax: number;
  /** The same for clients on this machine, which all have one address, including a proxy in front of the server. */
  readonly loopbackConnectionsMax: number;
  /** Time limit for the first bytes of a connection, in ms. */
  readonly firstBytesTimeoutMs: number;
  /** Time limit for the next request on an idle connection, in ms. */
  readonly idleTimeoutMs: number;
  /** The age at which a connection is renewed, in ms, plus or minus a tenth; running calls end first. */
  readonly ageMaxMs: number;
};

/** The defaults of every server. */
export const connectionDefaults: ConnectionLimits = {
  connectionsMax: 4096,
  addressConnectionsMax: 512,
  loopbackConnectionsMax: 4096,
  firstBytesTimeoutMs: 10_000,
  idleTimeoutMs: 300_000,
  ageMaxMs: 3_600_000,
};

/**
 * Returns the age at which one connection is renewed; it varies, so that simultaneous connections end at different
 * times.
 */
export function ageOf({ ageMaxMs }: Pick<ConnectionLimits, "ageMaxMs">, random = Math.random): number {
  return ageMaxMs * (0.9 + 0.2 * random());
}
