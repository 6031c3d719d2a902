import type { MessageRecord, MessageRecords } from "../message-records.ts";
import type { QueuedAppend } from "./queued-append.ts";

/** What goes to a partition in one send. */
export type PartitionSend = {
  readonly records: readonly MessageRecord[];
  /** How many of the records belong to which append, in order. */
  readonly parts: readonly { readonly append: QueuedAppend; readonly rows: number }[];
};

/** The rows that wait to be sent to one partition, in the order they were appended. */
export type PartitionRows = {
  /** How many there are, those of appends that were answered meanwhile included until `dropAnswered`. */
  readonly length: number;
  /** Adds rows of an append behind the others. */
  add(append: QueuedAppend, rows: readonly number[]): void;
  /** Takes the first rows, as many as fit into one send; nothing if there are none that anybody waits for. */
  take(): PartitionSend | undefined;
  /** Forgets the rows of appends that were answered. */
  dropAnswered(): void;
};

/**
 * Makes an empty one. A send holds at most `recordsMax` records, and at most `bytesMax` bytes of keys and values
 * unless its only record is larger. Rows are kept as places in their batch, and encoded when they are taken, so
 * that what waits costs a few bytes a row.
 */
export function createPartitionRows(options: {
  readonly encode: MessageRecords;
  readonly recordsMax: number;
  readonly bytesMax: number;
}): PartitionRows {
  const { encode, recordsMax, bytesMax } = options;
  let waiting: { readonly append: QueuedAppend; readonly rows: readonly number[] }[] = [];
  /** Where the first row that was not taken is. */
  let first = { segment: 0, row: 0 };
  let length = 0;

  function forgetTaken(): void {
    if (first.segment === 0) return;
    waiting = waiting.slice(first.segment);
    first.segment = 0;
  }

  return {
    get length() {
      return length;
    },
    add(append, rows) {
      waiting.push({ append, rows });
      length += rows.length;
    },
    take() {
      const records: MessageRecord[] = [];
      const parts: { append: QueuedAppend; rows: number }[] = [];
      let bytes = 0;
      let full = false;
      while (!full && first.segment < waiting.length) {
        const { append, rows } = waiting[first.segment] as (typeof waiting)[number];
        const from = first.row;
        let row = append.open ? from : rows.length;
        for (; row < rows.length; row++) {
          const record = encode(append.batch, rows[row] as number);
          const size = record.key.length + record.value.length;
          full = records.length === recordsMax || (records.length > 0 && bytes + size > bytesMax);
          if (full) break;
          bytes += size;
          records.push(record);
        }
        length -= row - from;
        if (append.open && row > from) parts.push({ append, rows: row - from });
        first = row < rows.length ? { ...first, row } : { segment: first.segment + 1, row: 0 };
      }
      forgetTaken();
      return records.length === 0 ? undefined : { records, parts };
    },
    dropAnswered() {
      forgetTaken();
      const head = waiting[0];
      if (head && !head.append.open) first.row = 0;
      waiting = waiting.filter(({ append }) => append.open);
      length = waiting.reduce((sum, { rows }) => sum + rows.length, -first.row);
    },
  };
}
