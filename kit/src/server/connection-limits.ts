/** Limits on the connections of a server. */
export type ConnectionLimits = {
  /**
   * Connections at a time. A further one takes the place of the oldest on which nothing runs, and is closed at once
   * if there is none.
   */
  readonly connectionsMax: number;
  /** Connections of one address, or of one /64 network of IPv6; further ones are closed at once. */
  readonly addressConnectionsMax: number;
  /** The same of this machine's own clients, which all have one address, a proxy before the server among them. */
  readonly loopbackConnectionsMax: number;
  /** For the first bytes of a connection, in ms. */
  readonly firstBytesTimeoutMs: number;
  /** For the next request on a connection on which nothing runs, in ms. */
  readonly idleTimeoutMs: number;
  /** The age at which a connection is renewed, in ms, give or take a tenth: what runs on it ends first. */
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

/** The age at which one connection is renewed: those that began together do not end together. */
export function ageOf({ ageMaxMs }: Pick<ConnectionLimits, "ageMaxMs">, random = Math.random): number {
  return ageMaxMs * (0.9 + 0.2 * random());
}
