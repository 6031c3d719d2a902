import { sampleBytes } from "../limits.ts";
import { unpacked } from "./decompress.ts";
import { createTextReader, encodingOf, type FoundEncoding } from "./encoding.ts";
import type { Input } from "./inputs.ts";

/** The beginning of an input, and access to all of its text. */
export type Sampled = {
  readonly encoding: FoundEncoding;
  /** The text of its beginning. */
  readonly text: string;
  /** Whether that is the whole text. */
  readonly isWhole: boolean;
  /** Returns all of its text, from the first character, in pieces. Call it at most once. */
  texts(): AsyncGenerator<string>;
  /** Number of stored bytes of the input that have been read. */
  bytesRead(): number;
  /** Closes the input. Closing again has no effect. */
  close(): Promise<void>;
};

/**
 * Opens an input and reads its beginning, about 256 KiB. A file is then closed and opened again by `texts`, so that any
 * number of files can be sampled before the first one is read.
 * @throws InputError if it cannot be read or decompressed.
 */
export async function sampleOf(input: Input): Promise<Sampled> {
  let bytesRead = 0;
  const open = () => unpacked(input.name, counted(input.open()))[Symbol.asyncIterator]();
  let chunks = open();
  const head: Uint8Array[] = [];
  let headBytes = 0;
  let isWhole = false;
  while (headBytes < sampleBytes && !isWhole) {
    const next = await chunks.next();
    if (next.done === true) isWhole = true;
    else {
      head.push(next.value);
      headBytes += next.value.length;
    }
  }
  const bytes = Buffer.concat(head);
  const encoding = encodingOf(bytes.subarray(0, sampleBytes), isWhole && bytes.length <= sampleBytes);
  const reader = createTextReader(encoding.encoding);
  const start = reader.read(bytes) + (isWhole ? reader.end() : "");
  const isMac = start.includes("\r") && !start.includes("\n");
  if (!input.isOnce) await chunks.return(undefined);

  async function* counted(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    bytesRead = 0;
    for await (const chunk of source) {
      bytesRead += chunk.length;
      yield chunk;
    }
  }

  async function* texts(): AsyncGenerator<string> {
    const text = createTextReader(encoding.encoding, isMac);
    if (input.isOnce) yield text.read(bytes);
    else chunks = open();
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next())
      yield text.read(next.value);
    yield text.end();
  }

  return {
    encoding,
    text: isMac ? start.replaceAll("\r", "\n") : start,
    isWhole,
    texts,
    bytesRead: () => bytesRead,
    close: async () => {
      await chunks.return(undefined);
    },
  };
}
