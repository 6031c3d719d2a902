/** The flags and the length that stand before each message of gRPC, gRPC-Web and Connect streams. */
export const envelopeHeaderBytes = 5;

/** Follows a body of enveloped messages without keeping any of it. */
export type EnvelopeProgress = {
  /** Reads the next bytes; returns how many bytes of a message have arrived since the last complete one. */
  read(chunk: Uint8Array): number;
};

/** At the start of a body. */
export function createEnvelopeProgress(): EnvelopeProgress {
  let headerBytes = 0;
  let messageLength = 0;
  let messageBytes = 0;
  return {
    read(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (headerBytes < envelopeHeaderBytes) {
          // The first byte has the flags; four bytes of length follow, the highest first.
          if (headerBytes > 0) messageLength = messageLength * 256 + chunk[at]!;
          headerBytes++;
          at++;
        } else {
          const taken = Math.min(messageLength - messageBytes, chunk.length - at);
          messageBytes += taken;
          at += taken;
        }
        if (headerBytes === envelopeHeaderBytes && messageBytes === messageLength) {
          headerBytes = 0;
          messageLength = 0;
          messageBytes = 0;
        }
      }
      return headerBytes + messageBytes;
    },
  };
}
