/** Time limit for the store to count its contents when the process starts, in ms. */
export const statusLimitMs = 30_000;

/**
 * Time limit for each part to end, in ms: the outbox, the open units, the open queries. Their sum is below the 2 s
 * within which Ctrl-C must end the process.
 */
export const graceMs = { generator: 500, ingest: 500, query: 300 } as const;

/** Number of simulated devices without `--devices`. */
export const devicesByDefault = 12;
