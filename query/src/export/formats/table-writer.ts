import type { ExportColumn, ExportRows } from "./export-table.ts";
import type { ZoneClock } from "./zone-clock.ts";

/** What the end of an export states, in the names of the contract. */
export type ExportEnd = {
  readonly rows: number;
  readonly complete_through: string;
  readonly not_covered: readonly { readonly since?: string; readonly to?: string }[];
};

/** Writes a table in one format, piece by piece. */
export type TableWriter = {
  /** The bytes of some rows, the beginning of the file before the first of them; may be empty. */
  write(rows: ExportRows): Uint8Array | Promise<Uint8Array>;
  /** The rest of the file, which may have no rows. */
  finish(end: ExportEnd): Uint8Array | Promise<Uint8Array>;
};

/** What a writer is made of. */
export type TableWriterOptions = {
  readonly columns: readonly ExportColumn[];
  readonly clock: ZoneClock;
  readonly hasEndLine: boolean;
};
