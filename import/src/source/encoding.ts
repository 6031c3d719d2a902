/** The encoding of a file's text. */
export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

/** The encoding of a file, and whether a byte order mark declares it. */
export type FoundEncoding = { readonly encoding: Encoding; readonly hasMark: boolean };

/**
 * Detects the encoding of a file from its first bytes: by its byte order mark; UTF-16 by its zero bytes; UTF-8 if the
 * bytes are valid; otherwise windows-1252 (a superset of Latin-1). `isWhole` means that these are all its bytes.
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

/** Decodes the chunks of a file, including line ends of old Macs (`\r` alone). */
export type TextReader = { read(bytes: Uint8Array): string; end(): string };

/** Creates a decoder. `isMac` means that lines end with `\r` alone. Invalid bytes become `�`. */
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
    // The last character may be incomplete.
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: !isWhole });
    return true;
  } catch {
    return false;
  }
}
