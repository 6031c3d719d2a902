import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { ExportColumn, ExportRows } from "./export-table.ts";
import type { TableWriter, TableWriterOptions } from "./table-writer.ts";

/** Number of rows of one row group: about 2 MiB in memory, and about 30 ms of the event loop. */
const rowGroupRows = 32_768;

/** Larger than any column of a row group: one page each. */
const pageBytes = 2 ** 26;

/**
 * Writes Parquet with row groups of `rowGroupRows`, compressed with Snappy. Times are in UTC, because Parquet has no
 * zones; the zone, the coverage and the number of rows are in the metadata of the footer.
 */
export function createParquetWriter({ columns, clock }: TableWriterOptions): TableWriter {
  const bytes = new ByteWriter(2 ** 20);
  const metadata: { key: string; value: string }[] = [];
  const writer = new ParquetWriter({
    writer: bytes,
    schema: [{ name: "root", num_children: columns.length }, ...columns.map(schemaOf)],
    kvMetadata: metadata,
    createdBy: "device-mesh",
  });
  let waiting: ExportRows[] = [];
  let waitingRows = 0;

  function taken(): Uint8Array {
    const found = bytes.getBytes().slice();
    bytes.index = 0;
    return found;
  }
  function writeGroup(): void {
    const group = waiting;
    waiting = [];
    waitingRows = 0;
    writer.write({
      columnData: columns.map(({ name, kind }, place) => {
        const values = group.flatMap((rows): (string | number)[] => [...(rows.columns[place] ?? [])]);
        const isWhole = kind === "time" || kind === "count";
        const data = isWhole
          ? BigInt64Array.from(values as number[], BigInt)
          : kind === "number"
            ? Float64Array.from(values as number[])
            : (values as string[]);
        return {
          name,
          data,
          offsetIndex: false,
          // Readers skip row groups by time; other bounds cost more than they save.
          statistics: kind === "time",
          ...(kind !== "text" && { encoding: "PLAIN" as const }),
        };
      }),
      rowGroupSize: rowGroupRows * 2,
      pageSize: pageBytes,
    });
  }
  return {
    write(rows) {
      waiting.push(rows);
      waitingRows += rows.length;
      if (waitingRows < rowGroupRows) return new Uint8Array();
      writeGroup();
      return taken();
    },
    finish(end) {
      if (waitingRows > 0) writeGroup();
      metadata.push(
        { key: "devicemesh.export", value: JSON.stringify(end) },
        { key: "devicemesh.zone", value: clock.zone },
      );
      writer.finish();
      return taken();
    },
  };
}

function schemaOf({ name, kind }: ExportColumn) {
  const common = { name, repetition_type: "REQUIRED" } as const;
  switch (kind) {
    case "text":
      return { ...common, type: "BYTE_ARRAY", converted_type: "UTF8" } as const;
    case "time":
      return {
        ...common,
        type: "INT64",
        converted_type: "TIMESTAMP_MILLIS",
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
      } as const;
    case "count":
      return { ...common, type: "INT64" } as const;
    case "number":
      return { ...common, type: "DOUBLE" } as const;
  }
}
