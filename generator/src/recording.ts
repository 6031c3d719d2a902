import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream";
import { type Options, parse } from "csv-parse";
import { findColumns, type RecordingRow, readRow, recordingColumns } from "./recording-row.ts";

/** The file cannot be replayed at all; the message says why in words for the person who named it. */
export class RecordingError extends Error {
  override name = "RecordingError";
}

/** A row and its line in the file, counted from 1. */
export type RecordingLine = RecordingRow & { readonly line: number };

/** A recording: a CSV file with the columns device_id, timestamp, sensor and value. */
export type Recording = {
  readonly bytesTotal: number;
  /** Bytes read so far by the last `lines()`. */
  bytesRead(): number;
  /**
   * Its rows, from the first, in constant memory; empty lines are left out. May be called again.
   * @throws RecordingError if there is no header with all columns, or the file cannot be read.
   */
  lines(): AsyncGenerator<RecordingLine>;
};

/**
 * Opens a recording. Each line stands for itself: a stray quote or an endless line spoils its own row only.
 * @throws RecordingError if the file cannot be read.
 */
export async function openRecording(file: string): Promise<Recording> {
  const stats = await stat(file).catch((cause) => {
    throw unreadable(file, cause);
  });
  if (!stats.isFile()) throw new RecordingError(`${file} is not a file`);
  let bytesRead = 0;

  async function* lines(): AsyncGenerator<RecordingLine> {
    bytesRead = 0;
    const rows = pipeline(
      createReadStream(file, { highWaterMark: 256 * 1024 }),
      (chunks: AsyncIterable<Buffer>) => boundLines(chunks, (bytes) => (bytesRead += bytes)),
      parse(csvOptions),
      // Errors come out of the loop below.
      () => {},
    );
    let line = 0;
    let places: Extract<ReturnType<typeof findColumns>, { kind: "found" }>["places"] | undefined;
    try {
      for await (const fields of rows as AsyncIterable<string[]>) {
        line += 1;
        if (places === undefined) {
          const columns = findColumns(fields);
          if (columns.kind === "missing") throw headerError(file, fields, columns.names);
          places = columns.places;
        } else if (fields.length > 1 || fields[0]!.trim() !== "") {
          yield { ...readRow(fields, places), line };
        }
      }
    } catch (cause) {
      throw cause instanceof RecordingError ? cause : unreadable(file, cause);
    }
    if (places === undefined) throw new RecordingError(`${file} is empty: it needs the header ${headerText}`);
  }

  return { bytesTotal: stats.size, bytesRead: () => bytesRead, lines };
}

const headerText = recordingColumns.join(",");
const lineBytesMax = 4096;
const newline = 0x0a;

const csvOptions: Options = {
  bom: true,
  // No quoting: it could join lines, and no field of a recording needs it.
  quote: null,
  record_delimiter: "\n",
  relax_column_count: true,
};

// Cuts lines that are longer than any row can be, so that a file without line ends takes no memory. The mark
// makes the field that is cut unreadable: a cut number must not pass for a number.
async function* boundLines(
  chunks: AsyncIterable<Buffer>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  let lineBytes = 0;
  for await (const chunk of chunks) {
    onBytes(chunk.length);
    let kept = 0;
    for (let start = 0; start < chunk.length; ) {
      const found = chunk.indexOf(newline, start);
      const end = found < 0 ? chunk.length : found;
      const room = Math.max(0, lineBytesMax - lineBytes);
      if (end - start > room) {
        if (start + room > kept) yield chunk.subarray(kept, start + room);
        if (lineBytes <= lineBytesMax) yield Buffer.from("…");
        kept = end;
        lineBytes = lineBytesMax;
      }
      lineBytes = found < 0 ? lineBytes + (end - start) : 0;
      start = end + 1;
    }
    if (kept < chunk.length) yield chunk.subarray(kept);
  }
}

function headerError(file: string, fields: readonly string[], missing: readonly string[]): RecordingError {
  const found = JSON.stringify(fields.join(",").slice(0, 200));
  const columns = missing.length === 1 ? "the column" : "the columns";
  return new RecordingError(
    `${file}: the first line must be a header with the columns ${headerText}; ${columns} ${missing.join(", ")} missing in ${found}`,
  );
}

function unreadable(file: string, cause: unknown): RecordingError {
  const words: Record<string, string> = {
    ENOENT: "there is no such file",
    EACCES: "reading it is not allowed",
    EISDIR: "it is a folder",
  };
  const { code = "", message } = cause as NodeJS.ErrnoException;
  return new RecordingError(`${file} cannot be read: ${words[code] ?? message}`, { cause });
}
