/** The names that the parts of one mesh share. Two meshes with other prefixes and databases do not meet. */
export type ChainNames = {
  readonly topics: {
    /** What ingest appends: a DeviceMessage in JSON, keyed by its identity; ticks have no value. */
    readonly messages: string;
    /** What the window job appends: a partial in JSON, keyed by series, window and segment. */
    readonly windows: string;
    /** What the sink of `messages` refused: repeats, and what breaks the rules. */
    readonly messageDeadLetters: string;
    /** What the sink of `windows` refused. */
    readonly windowDeadLetters: string;
    /** The earliest timestamp that ingest may accept: one record, compacted. */
    readonly retention: string;
  };
  /** The two sinks of Kafka Connect, from a topic into the collection of the same meaning. */
  readonly connectors: { readonly messages: string; readonly windows: string };
  /** The consumer group of the operator's reader of dead letters. */
  readonly deadLetterGroup: string;
  readonly database: string;
};

/** The collections of a mesh's database. Those of the coarser levels are named by `partialsCollection`. */
export const collections = {
  /** Every reading, once: the first of its identity. */
  messages: "processed_messages",
  /** Partials of the finest level, written by Kafka Connect. */
  windows: "aggregated_messages",
  /** What the sinks refused, one document for each record of the log. */
  deadLetters: "dead_letters",
  /** Windows of a series in which a reading was repeated, and their repairs. */
  windowRepeats: "window_repeats",
  /** How many duplicates and conflicts each series had, and its latest conflicts. */
  seriesDuplicates: "series_duplicates",
  /** Every series that has a reading which arrived before the frontier. */
  series: "series",
  /** How far the mesh is: one document. */
  frontier: "frontier",
  /** How far raw readings and windows were ever deleted: one document. */
  retention: "retention",
  /** What was fixed when the mesh was made: one document. */
  settings: "settings",
  /** What the operator and the aggregator say of themselves and of what they watch. */
  status: "service_status",
  /** Who is the active one where only one may be. */
  leases: "leases",
  /** From where on each checkpoint of the window job has folded, one document for each. */
  checkpoints: "window_job_checkpoints",
} as const;

/** The names of a mesh. `prefix` stands before topics, connectors and groups; empty by default. */
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

/** The consumer group that Kafka Connect commits the offsets of a sink with. */
export function connectorGroup(connector: string): string {
  return `connect-${connector}`;
}

/** The collection of a level's partials: `aggregated_messages`, `aggregated_messages_600s`, and so on. */
export function partialsCollection(level: number, windowMs: number): string {
  return level === 0 ? collections.windows : `${collections.windows}_${windowMs / 1000}s`;
}
