import type { Part } from "./part.ts";

/** The parts of any server on Node. Functions of buffers belong to their callers. */
const nodeParts: readonly Part[] = [
  { name: "garbage collection", frames: /^\(garbage collector\)$/ },
  { name: "V8's collector and compiler threads", frames: /^\(V8's threads\)$/ },
  { name: "gRPC and HTTP/2", frames: /@grpc\/grpc-js|@connectrpc\/|node:internal\/http2|kit\/src\/rpc\// },
  {
    name: "sockets and streams of Node",
    frames:
      /node:internal\/(streams|stream_base_commons)|node:net|^(writev|writeBuffer|readStart|readStop|shutdown) \(native\)$/,
  },
  {
    name: "Node's event loop",
    frames: /^\(program\)$|^runMicrotasks|node:internal\/(process|timers)/,
  },
];

const ingestParts: readonly Part[] = [
  { name: "decoding of frames", frames: /ingest\/src\/wire\/|@bufbuild\/protobuf|gen\/tsproto\// },
  { name: "checks of readings", frames: /ingest\/src\/checks\// },
  { name: "calls and commit units", frames: /ingest\/src\/publish\// },
];

/** The parts of ingest over Kafka, with those of the earlier log on the producer of kafkajs. */
export const kafkaParts: readonly Part[] = [
  { name: "grouping of records by kafkajs", frames: /kafkajs\/src\/producer\// },
  {
    name: "checksums",
    frames: /kafkajs\/src\/protocol\/recordBatch\/crc32C\/|@platformatic\/kafka\/dist\/protocol\/crc32c/,
  },
  { name: "encoding of requests by kafkajs", frames: /kafkajs\/src\/(protocol|utils)\// },
  {
    name: "requests to brokers",
    frames: /kafkajs\/|@platformatic\/|log\/kafka\/kafka-(topic|connections)|pipeline\/src\/kafka-brokers/,
  },
  {
    name: "bytes of messages and batches",
    frames: /log\/kafka\/(message-bytes|log-devices|kafka-record-batch)|log\/message-records/,
  },
  { name: "queues of partitions", frames: /ingest\/src\/log\// },
  ...ingestParts,
  ...nodeParts,
];

/** Statements of DuckDB run in libuv's threads, and its own threads are named like those that start them. */
const duckdbThreads: Part = { name: "DuckDB, in its threads", frames: /^\(libuv's threads\)$/ };
const duckdbBinding: Part = { name: "binding of DuckDB", frames: /@duckdb\// };

/** The parts of ingest into the store of the single process. */
export const embeddedParts: readonly Part[] = [
  duckdbThreads,
  duckdbBinding,
  { name: "series", frames: /store-duckdb\/src\/series\// },
  {
    name: "search for duplicates",
    frames: /store-duckdb\/src\/append\/(duplicate|duckdb-known|identity-set)/,
  },
  { name: "folding of windows", frames: /store-duckdb\/src\/maintenance\// },
  { name: "commits", frames: /store-duckdb\/src\// },
  ...ingestParts,
  ...nodeParts,
];

/** The parts of an answer in the single process. */
export const answersParts: readonly Part[] = [
  duckdbThreads,
  duckdbBinding,
  { name: "windows and readings in memory", frames: /store-duckdb\/src\/read\/(window|raw)-memory/ },
  { name: "merge", frames: /query\/src\/plan\/(column-)?merge/ },
  { name: "statements and their rows", frames: /store-duckdb\/src\// },
  { name: "plan of the answer", frames: /query\/src\/(plan|answer)\// },
  { name: "encoding of messages", frames: /@bufbuild\/protobuf|proto\/src\/timestamp/ },
  { name: "calls", frames: /query\/src\/|kit\/src\/server\// },
  ...nodeParts,
];
