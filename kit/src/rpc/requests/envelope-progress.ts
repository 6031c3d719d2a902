/** Length of the prefix (flags and length) of each message of gRPC, gRPC-Web and Connect streams. */
export const envelopeHeaderBytes = 5;

/** Follows a body of enveloped messages without storing it. */
export type EnvelopeProgress = {
  /** Reads the next bytes; returns the number of bytes of a message that have arrived since the last complete one. */
  read(chunk: Uint8Array): number;
};

/** Creates one at the start of a body. */
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
