import {
  type DataType,
  Field,
  Float64,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
  Timestamp,
  TimeUnit,
  Utf8,
} from "apache-arrow";
import type { ExportColumn } from "./export-table.ts";
import type { TableWriter, TableWriterOptions } from "./table-writer.ts";

/** Writes an Arrow IPC file ("Feather version 2"), with a record batch for each piece. Times have the zone. */
export function createArrowWriter({ columns, clock }: TableWriterOptions): TableWriter {
  const fields = columns.map((column) =>
    Field.new({ name: column.name, type: typeOf(column), nullable: false }),
  );
  const schema = new Schema(fields);
  const writer = new RecordBatchFileWriter();
  const written: Uint8Array[] = [];
  // The library queues its output; the queue is emptied after each piece.
  const drained = (async () => {
    for await (const bytes of writer) written.push(bytes);
  })();
  writer.reset(undefined, schema);

  function typeOf({ kind }: ExportColumn): DataType {
    switch (kind) {
      case "text":
        return new Utf8();
      case "time":
        return new Timestamp(TimeUnit.MILLISECOND, clock.zone);
      case "count":
        return new Int64();
      case "number":
        return new Float64();
    }
  }
  function taken(): Uint8Array {
    return Buffer.concat(written.splice(0));
  }
  return {
    async write({ length, columns: values }) {
      const children = fields.map(({ type }, place) =>
        dataOf(type as DataType, length, values[place] as readonly string[] | readonly number[]),
      );
      const data = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children });
      writer.write(new RecordBatch(schema, data));
      await new Promise(setImmediate);
      return taken();
    },
    async finish() {
      writer.finish();
      await drained;
      return taken();
    },
  };
}

function dataOf(type: DataType, length: number, values: readonly string[] | readonly number[]) {
  if (type instanceof Utf8) {
    const bytes = Buffer.from((values as readonly string[]).join(""));
    const valueOffsets = new Int32Array(length + 1);
    for (const [place, text] of (values as readonly string[]).entries())
      valueOffsets[place + 1] = (valueOffsets[place] as number) + Buffer.byteLength(text);
    return makeData({ type, length, nullCount: 0, valueOffsets, data: bytes });
  }
  if (type instanceof Float64)
    return makeData({ type, length, nullCount: 0, data: Float64Array.from(values as readonly number[]) });
  const data = BigInt64Array.from(values as readonly number[], BigInt);
  return makeData({ type: type as Timestamp, length, nullCount: 0, data });
}
