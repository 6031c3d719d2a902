import { closeSync, openSync, readSync } from "node:fs";

/**
 * Reads the first `bytesMax` bytes of a file. It reads by descriptor and not by size, so that a pipe (`<(command)`)
 * works too and an endless file is cut off. @throws the error of the file system.
 */
export function readAtMost(path: string, bytesMax: number): Uint8Array {
  const descriptor = openSync(path, "r");
  try {
    const bytes = new Uint8Array(bytesMax);
    let length = 0;
    while (length < bytesMax) {
      const count = readSync(descriptor, bytes, length, bytesMax - length, null);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}
