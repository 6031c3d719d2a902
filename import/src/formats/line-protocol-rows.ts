import type { LineField, LinePoint, LinePrecision } from "@devicemesh/kit/line-protocol/line-protocol";
import { createLineProtocolReader } from "@devicemesh/kit/line-protocol/line-protocol-reader";
import { createNamesCache, influxColumns, type Row, type RowReader } from "./row.ts";

/**
 * Reads the rows of InfluxDB line protocol: one point a row, with the columns `_measurement`, `_time` (ISO, UTC; empty
 * without a timestamp), its tags and its fields. A malformed line is a problem by itself.
 */
export function createLineProtocolRows(precision: LinePrecision): RowReader {
  const shared = createNamesCache();
  let rows: Row[] = [];
  const reader = createLineProtocolReader({
    precision,
    onPoint: (point) => rows.push(rowOf(point)),
    onProblem: ({ line, column, text }) =>
      rows.push({ line, names: [], cells: [], problem: `column ${column}: ${text}` }),
  });

  function rowOf({ line, measurement, tags, fields, timestampMs }: LinePoint): Row {
    const names: string[] = [influxColumns.measurement, influxColumns.time];
    const cells = [measurement, timestampMs === undefined ? "" : new Date(timestampMs).toISOString()];
    for (const { key, value } of tags) {
      names.push(key);
      cells.push(value);
    }
    for (const field of fields) {
      names.push(field.key);
      cells.push(textOf(field));
    }
    // A field may have the same name as a tag.
    const isTwice = new Set(names).size < names.length;
    return {
      line,
      names: shared(names),
      cells,
      problem: isTwice ? "a tag and a field have the same name" : undefined,
    };
  }

  return {
    read(text, isEnd) {
      rows = [];
      reader.push(text);
      if (isEnd) reader.end();
      return rows;
    },
  };
}

function textOf(field: LineField): string {
  return String(field.value);
}
