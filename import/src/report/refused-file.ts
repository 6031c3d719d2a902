import { closeSync, openSync, writeSync } from "node:fs";
import type { Place } from "../load/tally.ts";

/** A CSV file of all rejected rows and values. */
export type RefusedFile = {
  add(place: Place, cells: readonly string[]): void;
  /** Writes the remaining rows. */
  close(): void;
};

// Rows are written at once, so that a file of rejected rows needs no memory however many there are.
const bufferCharacters = 64 * 1024;

/**
 * Opens the file and replaces its contents. Its columns: file, line, column, reason, row. @throws the error of opening
 * or writing it.
 */
export function openRefusedFile(path: string): RefusedFile {
  const file = openSync(path, "w");
  let buffer = "";
  const flush = () => {
    writeSync(file, buffer);
    buffer = "";
  };
  const write = (cells: readonly (string | number)[]) => {
    buffer += `${cells.map(quoted).join(",")}\n`;
    if (buffer.length >= bufferCharacters) flush();
  };
  write(["file", "line", "column", "reason", "row"]);
  return {
    add: (place, cells) =>
      write([place.file, place.line, place.column ?? "", place.text, cells.map(quoted).join(",")]),
    close() {
      flush();
      closeSync(file);
    },
  };
}

function quoted(cell: string | number): string {
  const text = String(cell);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
