import { describe, expect, it } from "vitest";
import { answersParts, embeddedParts, kafkaParts } from "./node-parts.ts";
import { otherPart, type Part, partOfFrame, partOfStack, sharesByPart } from "./part.ts";
import { sparkParts } from "./spark-parts.ts";

/** Frames of real profiles: of today's code, and of the commit before the work on speed. */
const common = {
  "(garbage collector)": "garbage collection",
  "(V8's threads)": "V8's threads (collector and compiler)",
  "(program)": "Node's event loop",
  "processTimers node:internal/timers:603": "Node's event loop",
  "onSessionHeaders node:internal/http2/core:359": "gRPC and HTTP/2",
  "push @grpc/grpc-js/build/src/stream-decoder.js:40": "gRPC and HTTP/2",
  "readable kit/src/rpc/grpc-streams.ts:20": "gRPC and HTTP/2",
  "writev (native)": "sockets and streams of Node",
  "Readable.read node:internal/streams/readable:656": "sockets and streams of Node",
};

const ofIngest = {
  "readReading ingest/src/wire/frame-decoder.ts:91": "decoding of frames",
  "uint32 @bufbuild/protobuf/dist/esm/wire/binary-encoding.js:300": "decoding of frames",
  "check ingest/src/checks/reading-checks.ts:176": "checks of readings",
  "publish ingest/src/publish/publish-readings.ts:165": "calls and commit units",
};

const ofKafka = {
  ...common,
  ...ofIngest,
  "take ingest/src/log/kafka/partition-sender.ts:96": "queues of partitions",
  "take ingest/src/log/kafka/partition-rows.ts:53": "queues of partitions",
  "append ingest/src/log/kafka/partitioned-message-log.ts:80": "queues of partitions",
  "writeTime ingest/src/log/kafka/message-bytes.ts:48": "bytes of messages and batches",
  "close ingest/src/log/kafka/kafka-record-batch.ts:90": "bytes of messages and batches",
  "recordOf ingest/src/log/message-records.ts:30": "bytes of messages and batches",
  "nativeCRC32C @platformatic/kafka/dist/protocol/crc32c.js:76": "checksums",
  "module.exports kafkajs/src/protocol/recordBatch/crc32C/index.js:4": "checksums",
  "writeVarInt kafkajs/src/protocol/encoder.js:100": "encoding of requests by kafkajs",
  "module.exports kafkajs/src/utils/long.js:10": "encoding of requests by kafkajs",
  "(anonymous) kafkajs/src/producer/groupMessagesPerPartition.js:6": "grouping of records by kafkajs",
  "send kafkajs/src/network/connection.js:300": "requests to brokers",
  "send ingest/src/log/kafka/kafka-connections.ts:70": "requests to brokers",
  "readInt32 @platformatic/kafka/dist/protocol/reader.js:20": "requests to brokers",
};

const ofEmbedded = {
  "(libuv's threads)": "DuckDB, in its threads",
  "appendDataChunk @duckdb/node-api/lib/DuckDBAppender.js:200": "binding of DuckDB",
  "isNew store-duckdb/src/append/duplicate-filter.ts:60": "search for duplicates",
  "has store-duckdb/src/append/identity-set.ts:60": "search for duplicates",
  "codeOf store-duckdb/src/series/series-tables.ts:30": "series",
  "fold store-duckdb/src/maintenance/duckdb-segment-fold.ts:30": "folding of windows",
  "commit store-duckdb/src/append/duckdb-message-log.ts:90": "commits",
  "write store-duckdb/src/database/duckdb-writes.ts:90": "commits",
};

const ofAnswers = {
  "(libuv's threads)": "DuckDB, in its threads",
  "run @duckdb/node-api/lib/DuckDBPreparedStatement.js:100": "binding of DuckDB",
  "read store-duckdb/src/read/window-memory.ts:90": "windows and readings in memory",
  "read store-duckdb/src/read/raw-memory.ts:90": "windows and readings in memory",
  "rowsOf store-duckdb/src/read/duckdb-readers.ts:90": "statements and their rows",
  "mergeColumns query/src/plan/column-merge.ts:90": "merge",
  "add query/src/plan/partial-sum.ts:90": "merge",
  "plan query/src/plan/planner.ts:20": "plan of the answer",
  "readTimeframe query/src/answer/read-timeframe.ts:20": "plan of the answer",
  "toBinary @bufbuild/protobuf/dist/esm/to-binary.js:30": "encoding of messages",
  "getAggregates query/src/api/get-aggregates.ts:30": "calls",
  "handle @connectrpc/connect/dist/esm/protocol-grpc/handler-factory.js:30": "gRPC and HTTP/2",
};

const generated = "org.apache.spark.sql.catalyst.expressions.GeneratedClass$";
const ofSpark = {
  "(garbage collection of the JVM)": "garbage collection",
  "(compilation of Java)": "compilation to machine code",
  "com.fasterxml.jackson.core.json.ReaderBasedJsonParser.nextToken": "JSON",
  "org.apache.spark.sql.catalyst.json.CreateJacksonParser$.utf8String": "JSON",
  "org.apache.spark.unsafe.types.UTF8String.subStringIndex": "splitting of keys",
  "org.apache.spark.sql.catalyst.util.CollationSupport$StringSplitSQL.execBinary": "splitting of keys",
  "java.util.regex.Pattern$Node.match": "regular expressions",
  "org.apache.spark.sql.catalyst.util.SparkDateTimeUtils.parseTimestampString": "times",
  "org.apache.spark.sql.execution.aggregate.AggregationIterator.$anonfun$generateProcessRow$7":
    "aggregation by sorting",
  [`${generated}SpecificMutableProjection.apply`]: "aggregation by sorting",
  "org.apache.spark.util.collection.unsafe.sort.UnsafeExternalSorter.insertRecord": "aggregation by sorting",
  [`${generated}GeneratedIteratorForCodegenStage13.hashAgg_doConsume_0$`]: "aggregation by hash",
  "org.apache.spark.unsafe.map.BytesToBytesMap.safeLookup": "aggregation by hash",
  [`${generated}GeneratedIteratorForCodegenStage13.processNext`]: "filters and expressions in generated code",
  "org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider$HDFSBackedStateStore.put":
    "state store",
  "org.apache.kafka.clients.producer.KafkaProducer.send": "writing partials to Kafka",
  "org.apache.kafka.clients.consumer.internals.Fetcher.collectFetch": "reading from Kafka",
  "org.apache.spark.sql.kafka010.KafkaBatchPartitionReader.next": "reading from Kafka",
  "org.codehaus.janino.Java$Block.accept": "generation of code",
  "org.apache.spark.sql.catalyst.expressions.codegen.CodeFormatter$.stripExtraNewLines": "generation of code",
  "org.apache.spark.sql.catalyst.trees.TreeNode.mapChildren": "planning of batches",
  "org.apache.spark.sql.execution.QueryExecution.executedPlan": "planning of batches",
  "org.apache.spark.shuffle.ShuffleWriteProcessor.write": "shuffle",
  "org.apache.spark.sql.execution.streaming.runtime.MicroBatchExecution.executeOneBatch":
    "progress, offsets and commits",
  "org.apache.spark.executor.Executor$TaskRunner.run": "tasks and their results",
  "jdk.jfr.internal.dcmd.AbstractDCmd.execute": "recorder",
};

const examples: readonly (readonly [string, readonly Part[], Readonly<Record<string, string>>])[] = [
  ["kafka", kafkaParts, ofKafka],
  ["windows", sparkParts, ofSpark],
  ["answers", answersParts, { ...common, ...ofAnswers }],
  ["embedded", embeddedParts, { ...common, ...ofIngest, ...ofEmbedded }],
];

describe.each(examples)("the parts of %s", (_, parts, frames) => {
  it.each(Object.entries(frames))("recognise %s as %s", (frame, part) => {
    expect(partOfFrame(parts, frame)).toBe(part);
  });

  it("have an example each", () => {
    expect(new Set(Object.values(frames))).toEqual(new Set(parts.map(({ name }) => name)));
  });
});

it.each([
  "org.apache.spark.unsafe.types.UTF8String.fromBytes",
  `${generated}SpecificUnsafeProjection.apply`,
  "org.apache.spark.sql.catalyst.expressions.UnsafeRow.getUTF8String",
  "java.util.HashMap.get",
])("leave %s to its caller", (frame) => {
  expect(partOfFrame(sparkParts, frame)).toBeUndefined();
});

it.each([
  "copy (native)",
  "FastBuffer node:internal/buffer:960",
  "isoMilliseconds proto/src/timestamp.ts:10",
])("leave %s to its caller in ingest", (frame) => {
  expect(partOfFrame(kafkaParts, frame)).toBeUndefined();
});

const parts: readonly Part[] = [
  { name: "copies", frames: /^copy/ },
  { name: "encoding", frames: /^encode/ },
  { name: "calls", frames: /^(call|encode)/ },
];
const stack = (...frames: readonly string[]) => ({ frames, weight: 1 });

it("counts a stack for the innermost frame that a part recognises, and a frame for the first such part", () => {
  expect(partOfStack(parts, stack("call", "encode", "copy"))).toBe("copies");
  expect(partOfStack(parts, stack("call", "encode", "unknown"))).toBe("encoding");
  expect(partOfStack(parts, stack("encode", "call", "unknown"))).toBe("calls");
  expect(partOfStack(parts, stack("unknown"))).toBe(otherPart);
});

it("adds up the shares of the parts, the largest first", () => {
  expect(
    sharesByPart(parts, [
      stack("call"),
      stack("encode"),
      stack("call", "unknown"),
      { frames: ["x"], weight: 5 },
    ]),
  ).toEqual([
    { name: otherPart, share: 5 / 8 },
    { name: "calls", share: 2 / 8 },
    { name: "encoding", share: 1 / 8 },
  ]);
});
