/**
 * A copy of a text that shares no memory with it. V8 keeps the whole text that a part was cut from as long as the part
 * is in use: a name that is remembered would keep a piece of its file.
 */
export function ownCopy(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}
