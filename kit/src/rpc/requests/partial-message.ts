import { envelopeHeaderBytes } from "./incomplete-requests.ts";

/** A message, with its prefix, that arrives in parts. */
export type PartialMessage = {
  /** Number of bytes that have arrived. */
  readonly bytes: number;
  /** Number of bytes in all, once they are known: at least those that have arrived. */
  readonly length: number;
  /** Copies bytes of the message from a chunk, which continues at the returned place. */
  take(chunk: Buffer, at: number): number;
  /** Returns the message if it has arrived. */
  complete(): Buffer | undefined;
};

/** Creates one without bytes. Its memory grows with the bytes that arrive, whatever length the client announces. */
export function createPartialMessage(): PartialMessage {
  let memory = Buffer.allocUnsafe(64);
  let bytes = 0;

  function lengthOf(): number {
    return bytes < envelopeHeaderBytes ? envelopeHeaderBytes : envelopeHeaderBytes + memory.readUInt32BE(1);
  }
  function copy(chunk: Buffer, at: number): number {
    const end = Math.min(at + lengthOf() - bytes, chunk.length);
    const total = bytes + end - at;
    if (total > memory.length) {
      const grown = Buffer.allocUnsafe(Math.max(2 * memory.length, total));
      memory.copy(grown, 0, 0, bytes);
      memory = grown;
    }
    chunk.copy(memory, bytes, at, end);
    bytes = total;
    return end;
  }

  return {
    get bytes() {
      return bytes;
    },
    get length() {
      return lengthOf();
    },
    take(chunk, at) {
      const afterPrefix = bytes < envelopeHeaderBytes ? copy(chunk, at) : at;
      return bytes < envelopeHeaderBytes ? afterPrefix : copy(chunk, afterPrefix);
    },
    complete: () =>
      bytes < envelopeHeaderBytes || bytes < lengthOf() ? undefined : memory.subarray(0, bytes),
  };
}
