import type { ExportColumn, ExportRows } from "./export-table.ts";
import type { ZoneClock } from "./zone-clock.ts";

/** The end of an export, with the names of the contract. */
export type ExportEnd = {
  readonly rows: number;
  readonly complete_through: string;
  readonly not_covered: readonly { readonly since?: string; readonly to?: string }[];
};

/** Writes a table in one format, piece by piece. */
export type TableWriter = {
  /** Returns the bytes of some rows, with the beginning of the file before the first of them; may be empty. */
  write(rows: ExportRows): Uint8Array | Promise<Uint8Array>;
  /** Returns the rest of the file, which may have no rows. */
  finish(end: ExportEnd): Uint8Array | Promise<Uint8Array>;
};

/** The options of a writer. */
export type TableWriterOptions = {
  readonly columns: readonly ExportColumn[];
  readonly clock: ZoneClock;
  readonly hasEndLine: boolean;
};
