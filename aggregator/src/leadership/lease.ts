/** The result of requesting a lease. */
export type LeaseAnswer = {
  /** Whether the candidate holds the lease now. */
  readonly isHeld: boolean;
  /** The holder, as far as known. */
  readonly holder: string;
};

/** Ensures that at most one of many candidates is active. */
export type Lease = {
  /**
   * Takes or renews the lease; it lasts a few seconds by the database's clock.
   * @throws the database's error if it is unavailable; then no other candidate can take the lease either.
   */
  take(): Promise<LeaseAnswer>;
  /** Releases the lease, so that another candidate can take it at once; has no effect if it is not held. */
  release(): Promise<void>;
};
