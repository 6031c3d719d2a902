import { create, toBinary } from "@bufbuild/protobuf";
import {
  type WriteStreamOperationStart,
  WriteStreamOperationStartSchema,
} from "../../gen/spark/connect/commands_pb.ts";
import { type Expression, ExpressionSchema } from "../../gen/spark/connect/expressions_pb.ts";
import {
  Aggregate_GroupType,
  type Relation,
  RelationSchema,
  SetOperation_SetOpType,
} from "../../gen/spark/connect/relations_pb.ts";

// The vocabulary of a plan. Expressions are Spark's SQL.

/** A relation: rows that Spark computes from other rows. */
export type { Relation };

/** A query that writes a relation to a sink until it is stopped. */
export type StreamingQuery = WriteStreamOperationStart;

/** The rows of a source, from now on without end. */
export function streamFrom(format: string, options: Readonly<Record<string, string>>): Relation {
  const readType = { case: "dataSource" as const, value: { format, options: { ...options } } };
  return create(RelationSchema, { relType: { case: "read", value: { isStreaming: true, readType } } });
}

/** One row for each row, with these columns: "expression AS name". */
export function project(input: Relation, columns: readonly string[]): Relation {
  return create(RelationSchema, {
    relType: { case: "project", value: { input, expressions: columns.map(sql) } },
  });
}

/** The rows that satisfy the condition. */
export function filter(input: Relation, condition: string): Relation {
  return create(RelationSchema, { relType: { case: "filter", value: { input, condition: sql(condition) } } });
}

/**
 * Declares the watermark of a column of times; a row that is older than the newest by more than the delay may be
 * dropped.
 */
export function withWatermark(input: Relation, column: string, delayMs: number): Relation {
  const value = { input, eventTime: column, delayThreshold: `${delayMs} milliseconds` };
  return create(RelationSchema, { relType: { case: "withWatermark", value } });
}

/** The rows of all relations. @throws RangeError if there is none. */
export function unionAll(inputs: readonly Relation[]): Relation {
  const [first, ...rest] = inputs;
  if (!first) throw new RangeError("a union of nothing");
  return rest.reduce((leftInput, rightInput) => {
    const value = { leftInput, rightInput, setOpType: SetOperation_SetOpType.UNION, isAll: true };
    return create(RelationSchema, { relType: { case: "setOp", value } });
  }, first);
}

/** One row for each group: the grouping columns, then the aggregates. */
export function groupBy(
  input: Relation,
  columns: { readonly grouping: readonly string[]; readonly aggregates: readonly string[] },
): Relation {
  const value = {
    input,
    groupType: Aggregate_GroupType.GROUPBY,
    groupingExpressions: columns.grouping.map(sql),
    aggregateExpressions: columns.aggregates.map(sql),
  };
  return create(RelationSchema, { relType: { case: "aggregate", value } });
}

/** Appends the rows to a sink, each once it can no longer change. */
export function appendTo(
  input: Relation,
  sink: {
    readonly format: string;
    readonly options: Readonly<Record<string, string>>;
    readonly queryName: string;
    /** Interval between the starts of batches, in ms. */
    readonly triggerMs: number;
  },
): StreamingQuery {
  return create(WriteStreamOperationStartSchema, {
    input,
    format: sink.format,
    options: { ...sink.options },
    queryName: sink.queryName,
    outputMode: "append",
    trigger: { case: "processingTimeInterval", value: `${sink.triggerMs} milliseconds` },
  });
}

/** Serializes the query; equal queries give equal bytes. */
export function queryBytes(query: StreamingQuery): Uint8Array {
  return toBinary(WriteStreamOperationStartSchema, query);
}

function sql(expression: string): Expression {
  return create(ExpressionSchema, { exprType: { case: "expressionString", value: { expression } } });
}
