/** Where a number comes from: measured here, counted in bytes of the real encoders, or assumed for larger machines. */
export type Basis = "measured" | "counted" | "assumed";

/** A number of the model. */
export type Constant = {
  readonly value: number;
  readonly unit: string;
  readonly what: string;
  readonly basis: Basis;
  readonly source: string;
};

/** The numbers that the model is made of. A test compares the measured and the counted ones with what they come from. */
export const constants = {
  ingestCpuMicros: {
    value: 0.68,
    unit: "µs",
    what: "CPU of ingest for a reading in Kafka, frames of 100",
    basis: "measured",
    source: "bench/results/kafka.md",
  },
  sparkCpuMicros: {
    value: 11,
    unit: "µs",
    what: "CPU of Spark for a row of the warm window job, batches of 200,000 rows",
    basis: "measured",
    source: "bench/results/windows.md",
  },
  sinkDocuments: {
    value: 6600,
    unit: "documents/s",
    what: "one task of a sink, of two that share the machine with the stand-in for MongoDB",
    basis: "measured",
    source: "bench/results/mesh.md",
  },
  requestBytes: {
    value: 44,
    unit: "bytes",
    what: "a reading in a frame of 100",
    basis: "counted",
    source: "the contract's encoder",
  },
  logBytes: {
    value: 170,
    unit: "bytes",
    what: "a message in a record batch of Kafka, not compressed",
    basis: "counted",
    source: "ingest's encoder",
  },
  readingBytes: {
    value: 190,
    unit: "bytes",
    what: "the document of a reading, without indexes, not compressed",
    basis: "counted",
    source: "BSON",
  },
  partialBytes: {
    value: 380,
    unit: "bytes",
    what: "the document of a window, without indexes, not compressed",
    basis: "counted",
    source: "BSON",
  },
  partialLogBytes: {
    value: 415,
    unit: "bytes",
    what: "a partial in the topic of partials, not compressed",
    basis: "counted",
    source: "JSON of the window job",
  },
  replicas: {
    value: 3,
    unit: "",
    what: "replicas of each partition and of each document",
    basis: "assumed",
    source: "docker-stack.yml",
  },
  busy: {
    value: 0.6,
    unit: "",
    what: "share of a core, a disk or a network that may be busy on average",
    basis: "assumed",
    source: "leaves time for catching up",
  },
  readingsPerPartition: {
    value: 5000,
    unit: "readings/s",
    what: "load of a partition",
    basis: "assumed",
    source: "docs/running.md",
  },
  brokerBytes: {
    value: 100e6,
    unit: "bytes/s",
    what: "what one broker writes, replicas included",
    basis: "assumed",
    source: "one SSD and 10 Gbit/s",
  },
  shardDocuments: {
    value: 50_000,
    unit: "documents/s",
    what: "what one shard inserts, with four indexes",
    basis: "assumed",
    source: "not measured: MongoDB itself cannot be installed where the benches run",
  },
  shardBytes: {
    value: 4e12,
    unit: "bytes",
    what: "documents on one shard",
    basis: "assumed",
    source: "a volume of that size",
  },
  cellReadings: {
    value: 250_000,
    unit: "readings/s",
    what: "load of a cell",
    basis: "assumed",
    source: "see below",
  },
} as const satisfies Record<string, Constant>;
