import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createFieldReader, type FieldLine } from "@devicemesh/import/formats/csv-rows";
import { createTextReader } from "@devicemesh/import/source/encoding";
import { createSensorCatalog, type SensorCatalog } from "@devicemesh/proto";
import {
  findColumns,
  type RecordingColumns,
  type RecordingRow,
  readRow,
  recordingColumns,
} from "./recording-row.ts";

/** The file cannot be replayed at all; the message names the file and the reason. */
export class RecordingError extends Error {
  override name = "RecordingError";
}

/** A row and its line in the file, counted from 1. */
export type RecordingLine = RecordingRow & { readonly line: number };

/** A recording: a CSV file with the columns device_id, timestamp, sensor and value. */
export type Recording = {
  readonly bytesTotal: number;
  /** Number of bytes read so far by the last `lines()`. */
  bytesRead(): number;
  /**
   * Returns its rows, from the first, in constant memory, without empty lines. May be called again.
   * @throws RecordingError if there is no header with all columns, or the file is unreadable.
   */
  lines(): AsyncGenerator<RecordingLine>;
};

/**
 * Opens a recording and reads its header. An unreadable row is a bad row and does not affect the others.
 * @throws RecordingError if the file is unreadable, or has no header with all columns.
 */
export async function openRecording(
  file: string,
  catalog: SensorCatalog = createSensorCatalog(),
): Promise<Recording> {
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
    let columns: RecordingColumns | undefined;
    try {
      const chunks = createReadStream(file, { highWaterMark: 256 * 1024 });
      for await (const { fields, problem, line } of fieldLines(countBytes(chunks))) {
        if (columns === undefined) columns = columnsOf(file, fields, problem);
        else if (problem !== undefined) yield { kind: "bad", reason: problem, line };
        else yield { ...readRow(fields, columns, catalog), line };
      }
    } catch (cause) {
      throw cause instanceof RecordingError ? cause : unreadable(file, cause);
    }
    if (columns === undefined)
      throw new RecordingError(`${file} is empty: it needs the header ${headerText}`);
  }

  // The header only: it is read again with the rows.
  await lines().next();
  return { bytesTotal: stats.size, bytesRead: () => bytesRead, lines };
}

const headerText = recordingColumns.join(",");

async function* fieldLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<FieldLine> {
  const text = createTextReader("utf-8");
  const lines = createFieldReader(",");
  for await (const chunk of chunks) yield* lines.read(text.read(chunk), false);
  yield* lines.read(text.end(), true);
}

function columnsOf(file: string, fields: readonly string[], problem: string | undefined): RecordingColumns {
  const found = problem === undefined ? findColumns(fields) : ({ kind: "problem", problem } as const);
  if (found.kind === "found") return found.columns;
  const text = problem !== undefined ? "" : ` in ${JSON.stringify(fields.join(",").slice(0, 200))}`;
  throw new RecordingError(
    `${file}: the first line must be a header with the columns ${headerText}; ${found.problem}${text}`,
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
