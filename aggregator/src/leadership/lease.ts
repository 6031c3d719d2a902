/** What came of asking for a lease. */
export type LeaseAnswer = {
  /** Whether the asker holds it now. */
  readonly isQueued: boolean;
  /** Who holds it, as far as known. */
  readonly holder: string;
};

/** Sees to it that one of many is active. */
export type Lease = {
  /**
   * Takes the lease, or renews it; it lasts for some seconds by the database's clock.
   * @throws the database's error if it cannot be reached: then no other instance can take it either.
   */
  take(): Promise<LeaseAnswer>;
  /** Gives it back, so that another may have it at once; nothing if it is not held. */
  release(): Promise<void>;
};
