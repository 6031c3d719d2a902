import type { Part } from "./part.ts";

/**
 * The parts of the window job on Spark. Methods of rows, projections, strings and collections belong to their callers.
 */
export const sparkParts: readonly Part[] = [
  { name: "garbage collection", frames: /^\(garbage collection of the JVM\)$/ },
  { name: "compilation to machine code", frames: /^\(compilation of Java\)$/ },
  { name: "JSON", frames: /fasterxml\.jackson|catalyst\.json\./ },
  { name: "splitting of keys", frames: /CollationSupport|UTF8String\.(split|subStringIndex|trim)/ },
  { name: "regular expressions", frames: /^java\.util\.regex\./ },
  { name: "times", frames: /DateTimeUtils|^java\.time\./ },
  {
    name: "aggregation by sorting",
    frames:
      /execution\.aggregate\.(Sort|AggregationIterator)|SpecificMutableProjection|SortExec|UnsafeExternalRowSorter|collection\.unsafe\.sort|SpecificOrdering/,
  },
  {
    name: "aggregation by hash",
    frames: /hashAgg_|HashAggregate|UnsafeFixedWidthAggregationMap|BytesToBytesMap/,
  },
  { name: "state store", frames: /execution\.streaming\.(state|operators\.stateful)\./ },
  {
    name: "writing partials to Kafka",
    frames: /kafka\.clients\.producer|kafka010\.Kafka(Row|Data|Stream)?Write/,
  },
  { name: "reading from Kafka", frames: /org\.apache\.kafka\.|spark\.sql\.kafka010\./ },
  {
    name: "generation of code",
    frames: /janino|expressions\.codegen\.(Code|Generate|Block|Expr)|WholeStageCodegenExec|doGenCode/,
  },
  {
    name: "planning of batches",
    frames:
      /catalyst\.(optimizer|analysis|planning|plans|rules|trees|util\.Resolve)|QueryExecution|spark\.sql\.connect|execution\.SparkPlan/,
  },
  {
    name: "shuffle",
    frames: /spark\.shuffle\.|execution\.exchange|UnsafeRowSerializer|spark\.storage\.|spark\.network/,
  },
  { name: "filters and expressions in generated code", frames: /GeneratedIteratorForCodegenStage/ },
  { name: "progress, offsets and commits", frames: /execution\.streaming\./ },
  {
    name: "tasks and their results",
    frames: /spark\.(scheduler|executor|serializer|util|internal)\.|apache\.logging|^java\.io\.Object/,
  },
  { name: "recorder", frames: /^jdk\.jfr/ },
];
