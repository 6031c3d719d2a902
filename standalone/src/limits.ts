/** How long the store may take to say what it holds when the process starts, in ms. */
export const statusLimitMs = 30_000;

/**
 * How long each part may take to end, in ms: the outbox, the open units, the open queries. Together they are below the
 * 2 s in which Ctrl-C must end the process.
 */
export const graceMs = { generator: 500, ingest: 500, query: 300 } as const;

/** How many devices are simulated without `--devices`. */
export const devicesByDefault = 12;
