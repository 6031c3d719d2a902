import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { InputError } from "./inputs.ts";

/** The compression of a file. */
export type Packing = "gzip" | "zstd";

/** Detects the compression of a file from its first bytes; undefined if there is none. Its name is ignored. */
export function packingOf(bytes: Uint8Array): Packing | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return "gzip";
  const isZstd = bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd;
  return isZstd ? "zstd" : undefined;
}

/**
 * Returns the bytes of a file, decompressed if needed, in chunks of moderate size.
 * @throws InputError if they are damaged or end too early; the bytes before that are returned.
 */
export async function* unpacked(name: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) return;
  const packing = packingOf(first.value);
  const whole = joined(first.value, iterator);
  if (packing === undefined) yield* whole;
  else yield* unpackedBy(packing, name, whole);
}

// A small piece decompresses to at most about 16 MiB, whatever the compression.
const pieceBytes = 16 * 1024;
const chunkSize = 256 * 1024;

/**
 * A piece goes in when the output of the previous one is complete, so that no output is lost if a later piece is
 * damaged.
 */
async function* unpackedBy(
  packing: Packing,
  name: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const transform: Transform =
    packing === "gzip" ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize });
  const ready: Uint8Array[] = [];
  let damage: Error | undefined;
  transform.on("data", (chunk: Buffer) => ready.push(chunk));
  const ended = new Promise<void>((resolve) => {
    transform.on("end", resolve);
    transform.on("error", (error) => {
      damage = error;
      resolve();
    });
  });
  const write = (piece: Uint8Array) =>
    new Promise<void>((resolve) => transform.write(piece, () => resolve()));
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length && damage === undefined; at += pieceBytes) {
        await write(chunk.subarray(at, at + pieceBytes));
        yield* ready.splice(0);
      }
      if (damage !== undefined) break;
    }
    if (damage === undefined) transform.end();
    await ended;
    yield* ready.splice(0);
  } finally {
    transform.destroy();
  }
  if (damage !== undefined) {
    const text = `${name} is damaged: it cannot be unpacked as ${packing} (${damage.message})`;
    throw new InputError(text, { cause: damage });
  }
}

async function* joined(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
