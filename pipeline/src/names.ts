/** The names that the parts of one mesh share. Two meshes with different prefixes and databases are independent. */
export type ChainNames = {
  readonly topics: {
    /** Ingest appends a DeviceMessage in JSON, keyed by its identity; ticks have no value. */
    readonly messages: string;
    /** The window job appends a partial in JSON, keyed by series, window and segment. */
    readonly windows: string;
    /** The records that the sink of `messages` rejected: duplicates, conflicts and invalid ones. */
    readonly messageDeadLetters: string;
    /** The records that the sink of `windows` rejected. */
    readonly windowDeadLetters: string;
    /** The earliest timestamp that ingest may accept: one record, compacted. */
    readonly retention: string;
  };
  /** The two sinks of Kafka Connect, each from a topic into the corresponding collection. */
  readonly connectors: { readonly messages: string; readonly windows: string };
  /** The consumer group of the operator's reader of dead letters. */
  readonly deadLetterGroup: string;
  readonly database: string;
};

/** The collections of a mesh's database. `partialsCollection` names those of the coarser levels. */
export const collections = {
  /** Every reading once: the first of its identity. */
  messages: "processed_messages",
  /** Partials of the finest level, written by Kafka Connect. */
  windows: "aggregated_messages",
  /** The records that the sinks rejected, one document for each record of the log. */
  deadLetters: "dead_letters",
  /** Windows of a series with duplicates or conflicts, and their repairs. */
  duplicateWindows: "window_repeats",
  /** The counts of duplicates and conflicts of each series, and its latest conflicts. */
  seriesDuplicates: "series_duplicates",
  /** Every series that has a reading which arrived before the frontier. */
  series: "series",
  /** The progress of the mesh: one document. */
  frontier: "frontier",
  /** The retention marks of raw readings and windows: one document. */
  retention: "retention",
  /** The settings that were fixed when the mesh was made: one document. */
  settings: "settings",
  /** The status of the operator, the aggregator and the parts that they supervise. */
  status: "service_status",
  /** The leases of services with one leader. */
  leases: "leases",
  /** The start of each checkpoint of the window job, one document for each. */
  checkpoints: "window_job_checkpoints",
} as const;

/** Returns the names of a mesh. `prefix` is prepended to topics, connectors and groups; empty by default. */
export function chainNames(
  options: { readonly prefix?: string; readonly database?: string } = {},
): ChainNames {
  const { prefix = "", database = "devicemesh" } = options;
  return {
    topics: {
      messages: `${prefix}processed_messages`,
      windows: `${prefix}aggregated_messages`,
      messageDeadLetters: `${prefix}processed_messages.dead_letters`,
      windowDeadLetters: `${prefix}aggregated_messages.dead_letters`,
      retention: `${prefix}retention`,
    },
    connectors: {
      messages: `${prefix}processed-messages-to-mongodb`,
      windows: `${prefix}aggregated-messages-to-mongodb`,
    },
    deadLetterGroup: `${prefix}dead-letter-reader`,
    database,
  };
}

/** Returns the consumer group with which Kafka Connect commits the offsets of a sink. */
export function connectorGroup(connector: string): string {
  return `connect-${connector}`;
}

/** Returns the collection of a level's partials: `aggregated_messages`, `aggregated_messages_600s`, and so on. */
export function partialsCollection(level: number, windowMs: number): string {
  return level === 0 ? collections.windows : `${collections.windows}_${windowMs / 1000}s`;
}
