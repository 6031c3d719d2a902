/** Frames of real profiles by the part that they belong to: of the code today, and before the work on its speed. */
export type FramesByPart = Readonly<Record<string, readonly string[]>>;

const ofNode: FramesByPart = {
  "garbage collection": ["(garbage collector)"],
  "V8's collector and compiler threads": ["(V8's threads)"],
  "gRPC and HTTP/2": [
    "write @grpc/grpc-js/build/src/stream-decoder.js:37",
    "anyFn @connectrpc/connect/dist/esm/protocol/invoke-implementation.js:73",
    "respond node:internal/http2/core:3045",
    "check kit/src/rpc/requests/request-validation.ts:33",
  ],
  "sockets and streams of Node": [
    "clearBuffer node:internal/streams/writable:746",
    "onStreamRead node:internal/stream_base_commons:166",
    "remoteAddress node:net:1184",
    "writev (native)",
    "writeBuffer (native)",
    "readStart (native)",
    "readStop (native)",
    "shutdown (native)",
  ],
  "Node's event loop": [
    "(program)",
    "runMicrotasks (native)",
    "processTicksAndRejections node:internal/process/task_queues:72",
    "insert node:internal/timers:426",
  ],
};

const ofIngest: FramesByPart = {
  "decoding of frames": [
    "readReading ingest/src/wire/frame-decoder.ts:91",
    "uint64 @bufbuild/protobuf/dist/esm/wire/binary-encoding.js:376",
    "encode proto/gen/tsproto/devicemesh/v1/ingest_service.ts:139",
  ],
  "checks of readings": ["firstViolation ingest/src/checks/reading-checks.ts:123"],
  "calls and commit units": ["(anonymous) ingest/src/publish/publish-readings.ts:165"],
};

/** Of ingest over Kafka. */
export const kafkaFrames: FramesByPart = {
  ...ofNode,
  ...ofIngest,
  "grouping of records by kafkajs": ["(anonymous) kafkajs/src/producer/groupMessagesPerPartition.js:6"],
  checksums: [
    "module.exports kafkajs/src/protocol/recordBatch/crc32C/index.js:4",
    "nativeCRC32C @platformatic/kafka/dist/protocol/crc32c.js:76",
  ],
  "encoding of requests by kafkajs": [
    "Encoder kafkajs/src/protocol/encoder.js:67",
    "fromNumber kafkajs/src/utils/long.js:47",
  ],
  "requests to brokers": [
    "send kafkajs/src/network/connection.js:379",
    "appendString @platformatic/kafka/dist/protocol/writer.js:107",
    "(anonymous) ingest/src/log/kafka/kafka-topic.ts:109",
    "(anonymous) ingest/src/log/kafka/kafka-connections.ts:231",
  ],
  "bytes of messages and batches": [
    "(anonymous) ingest/src/log/kafka/message-bytes.ts:68",
    "of ingest/src/log/kafka/log-devices.ts:45",
    "finish ingest/src/log/kafka/kafka-record-batch.ts:72",
    "(anonymous) ingest/src/log/message-records.ts:35",
  ],
  "queues of partitions": [
    "take ingest/src/log/kafka/partition-sender.ts:96",
    "take ingest/src/log/kafka/partition-rows.ts:53",
  ],
};

/** Of ingest into the embedded store. */
export const embeddedFrames: FramesByPart = {
  ...ofNode,
  ...ofIngest,
  "DuckDB, in its threads": ["(libuv's threads)"],
  "binding of DuckDB": ["closeSync @duckdb/node-api/lib/DuckDBAppender.js:20"],
  series: ["find store-duckdb/src/series/series-tables.ts:26"],
  "search for duplicates": [
    "sortBatch store-duckdb/src/append/duplicate-filter.ts:49",
    "known store-duckdb/src/append/duckdb-known-identities.ts:60",
    "has store-duckdb/src/append/identity-set.ts:60",
  ],
  "folding of windows": ["(anonymous) store-duckdb/src/maintenance/duckdb-segment-fold.ts:65"],
  commits: [
    "withCodesOf store-duckdb/src/append/duckdb-message-log.ts:196",
    "write store-duckdb/src/database/duckdb-writes.ts:90",
  ],
};

/** Of an answer in the single process. */
export const answersFrames: FramesByPart = {
  ...ofNode,
  "DuckDB, in its threads": ["(libuv's threads)"],
  "binding of DuckDB": ["run @duckdb/node-api/lib/DuckDBPreparedStatement.js:187"],
  "windows and readings in memory": [
    "read store-duckdb/src/read/raw-memory.ts:157",
    "windowsIn store-duckdb/src/read/window-memory.ts:199",
  ],
  merge: ["addTo query/src/plan/column-merge.ts:116", "add query/src/plan/merge.ts:62"],
  "statements and their rows": ["(anonymous) store-duckdb/src/database/duckdb-columns.ts:15"],
  "plan of the answer": [
    "(anonymous) query/src/plan/planner.ts:205",
    "aggregateRow query/src/answer/aggregate-rows.ts:47",
  ],
  "encoding of messages": [
    "ensureCapacity @bufbuild/protobuf/dist/esm/wire/binary-encoding.js:93",
    "millisecondsFloor proto/src/timestamp.ts:5",
  ],
  calls: [
    "getAggregates query/src/api/get-aggregates.ts:40",
    "(anonymous) kit/src/server/one-port-server.ts:181",
  ],
};
