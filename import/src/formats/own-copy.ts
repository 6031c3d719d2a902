/**
 * Returns a copy of a text that shares no memory with it. V8 retains the whole text that a part was cut from while the
 * part is in use: a remembered name would retain a piece of its file.
 */
export function ownCopy(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}
