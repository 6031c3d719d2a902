import { answersParts, embeddedParts, kafkaParts } from "./parts/node-parts.ts";
import type { Part } from "./parts/part.ts";
import { sparkParts } from "./parts/spark-parts.ts";
import type { PathName } from "./profiles-bench.ts";

/** The texts of a path in the report. */
export type PathTexts = {
  readonly title: string;
  /** What runs; `readings` are stored for the answers. */
  readonly what: (readings: number) => string;
  /** The unit of work: "a reading". */
  readonly unit: string;
  /** The same with its path, for the chart. */
  readonly unitText: string;
  /** What was changed since the commit before the work on speed. */
  readonly changed: string;
  /** In order: a frame belongs to the first that recognises it. */
  readonly parts: readonly Part[];
};

/** The texts and parts of each path. */
export const pathTexts: Readonly<Record<PathName, PathTexts>> = {
  kafka: {
    title: "A reading on its way to Kafka",
    what: () =>
      "Ingest over one Kafka broker, 40 gateways that stream 100 readings a frame. The process is ingest.",
    unit: "a reading",
    unitText: "a reading to Kafka",
    changed:
      "Ingest now writes record batches itself, from the decoded columns, instead of an object and two buffers a record for the producer of kafkajs ([decision 014](../../docs/decisions/014-kafka-producer.md)).",
    parts: kafkaParts,
  },
  windows: {
    title: "A row in the window job on Spark",
    what: () =>
      "The window job folds a backlog from one Kafka broker, after the job has become warm. The process is Spark's JVM.",
    unit: "a row",
    unitText: "a row in the window job",
    changed:
      "The plan now aggregates by hash, because minimum, maximum, first and last are numbers and no structs; reads the text that ingest writes without a JSON parser; and polls Kafka in larger parts ([decision 005](../../docs/decisions/005-real-chain.md)).",
    parts: sparkParts,
  },
  answers: {
    title: "An answer over any timeframe in the single process",
    what: (readings) =>
      `\`GetAggregates\` by sensor over ${readings.toLocaleString("en-US")} stored readings, timeframes of 1 s to all, asked by 16 clients at once through gRPC. The process is query with the embedded store.`,
    unit: "an answer",
    unitText: "an answer over any timeframe",
    changed:
      "Windows are now kept in memory as columns, merged by sensor once for all devices, and the edges of a timeframe come from prepared statements or from memory instead of SQL text for each question ([decision 002](../../docs/decisions/002-embedded-store.md)).",
    parts: answersParts,
  },
  embedded: {
    title: "A reading on its way to the store of the single process",
    what: () =>
      "Ingest over the embedded store, 40 gateways that stream 100 readings a frame, in order. The process is ingest with its store.",
    unit: "a reading",
    unitText: "a reading to the embedded store",
    changed: "The work on this path concerned late readings, which this load does not have, and memory.",
    parts: embeddedParts,
  },
};
