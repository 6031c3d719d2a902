import { closeSync, openSync, writeSync } from "node:fs";
import type { Place } from "../load/tally.ts";

/** A CSV file of everything that was refused. */
export type RefusedFile = {
  add(place: Place, cells: readonly string[]): void;
  /** Writes what is left. */
  close(): void;
};

// Written at once, so that a file of refused rows takes no memory however many there are.
const bufferCharacters = 64 * 1024;

/** Opens the file, replacing what is there. Its columns: file, line, column, reason, row. @throws the error of opening or writing it. */
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
