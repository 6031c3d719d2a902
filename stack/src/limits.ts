/** How long `stack:deploy` waits for services, in ms. */
export type SettleLimits = {
  /** In all: a broker or member of the database may have to replay its log. */
  readonly limitMs: number;
  /** For the Swarm to begin an update, which it does after the command has ended. */
  readonly quietMs: number;
  readonly pollMs: number;
};

/** The limits of the stack's commands that are not flags. */
export const stackLimits = {
  settle: { limitMs: 1_800_000, quietMs: 5_000, pollMs: 1_000 } satisfies SettleLimits,
  /** For all replicas to be in sync, in ms: more than the job that asks waits itself. */
  replicasMs: 1_000_000,
} as const;
