/** How the text of a file is encoded. */
export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

/** The encoding of a file, and whether it says so itself with a byte order mark. */
export type FoundEncoding = { readonly encoding: Encoding; readonly hasMark: boolean };

/**
 * The encoding of a file that begins with these bytes: by its byte order mark; UTF-16 by its zero bytes; UTF-8 if the
 * bytes are; windows-1252 (of which Latin-1 is a part) if not. `isWhole` states that these are all its bytes.
 */
export function encodingOf(bytes: Uint8Array, isWhole: boolean): FoundEncoding {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
    return { encoding: "utf-8", hasMark: true };
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { encoding: "utf-16le", hasMark: true };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { encoding: "utf-16be", hasMark: true };
  const [evenZeros, oddZeros] = [zeros(bytes, 0), zeros(bytes, 1)];
  if (oddZeros > bytes.length / 8 && evenZeros * 8 < oddZeros)
    return { encoding: "utf-16le", hasMark: false };
  if (evenZeros > bytes.length / 8 && oddZeros * 8 < evenZeros)
    return { encoding: "utf-16be", hasMark: false };
  return { encoding: isUtf8(bytes, isWhole) ? "utf-8" : "windows-1252", hasMark: false };
}

/** Decodes the chunks of a file, line ends of old Macs (`\r` alone) included. */
export type TextReader = { read(bytes: Uint8Array): string; end(): string };

/** A reader of text in that encoding. `isMac` states that lines end with `\r` alone. Bytes that are no text become `�`. */
export function createTextReader(encoding: Encoding, isMac = false): TextReader {
  const decoder = new TextDecoder(encoding);
  const withLines = (text: string) => (isMac ? text.replaceAll("\r", "\n") : text);
  return {
    read: (bytes) => withLines(decoder.decode(bytes, { stream: true })),
    end: () => withLines(decoder.decode()),
  };
}

function zeros(bytes: Uint8Array, from: number): number {
  let count = 0;
  for (let at = from; at < bytes.length; at += 2) if (bytes[at] === 0) count += 1;
  return count;
}

function isUtf8(bytes: Uint8Array, isWhole: boolean): boolean {
  try {
    // The last character may be cut off.
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: !isWhole });
    return true;
  } catch {
    return false;
  }
}
