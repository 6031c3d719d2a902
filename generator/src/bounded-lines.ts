/** The most bytes of a line; a row of a recording has about 60, at most some 200. */
export const lineBytesMax = 4096;

/** What stands at the end of a line that was cut: it makes the cut field unreadable, so that a cut number never passes for a number. */
export const cutMark = "…";

/**
 * The same bytes in chunks, with each line cut to `lineBytesMax` bytes and the mark, so that a file without
 * line ends takes no memory.
 */
export async function* boundLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let lineBytes = 0;
  for await (const chunk of chunks) {
    let kept = 0;
    for (let start = 0; start < chunk.length; ) {
      const found = chunk.indexOf(newline, start);
      const end = found < 0 ? chunk.length : found;
      const room = Math.max(0, lineBytesMax - lineBytes);
      if (end - start > room) {
        if (start + room > kept) yield chunk.subarray(kept, start + room);
        if (lineBytes <= lineBytesMax) yield Buffer.from(cutMark);
        kept = end;
        lineBytes = lineBytesMax;
      }
      lineBytes = found < 0 ? lineBytes + (end - start) : 0;
      start = end + 1;
    }
    if (kept < chunk.length) yield chunk.subarray(kept);
  }
}

const newline = 0x0a;
