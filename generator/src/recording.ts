import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream";
import { type Options, parse } from "csv-parse";
import { boundLines } from "./bounded-lines.ts";
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

  async function* countBytes(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      bytesRead += chunk.length;
      yield chunk;
    }
  }

  async function* lines(): AsyncGenerator<RecordingLine> {
    bytesRead = 0;
    const rows = pipeline(
      createReadStream(file, { highWaterMark: 256 * 1024 }),
      (chunks: AsyncIterable<Buffer>) => boundLines(countBytes(chunks)),
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

const csvOptions: Options = {
  bom: true,
  // No quoting: it could join lines, and no field of a recording needs it.
  quote: null,
  record_delimiter: "\n",
  relax_column_count: true,
};

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
