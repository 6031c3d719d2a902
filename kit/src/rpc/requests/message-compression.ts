import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";
import { RpcError, resourceExhausted } from "../rpc-error.ts";

/** The value of `grpc-accept-encoding`. */
export const acceptedEncodings = "identity,deflate,gzip";

const decompressions: Readonly<Record<string, (bytes: Buffer, options: object) => Promise<Buffer>>> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  identity: (bytes) => Promise.resolve(bytes),
};

/**
 * Decompresses a message.
 * @throws RpcError UNIMPLEMENTED if the encoding is unknown, INTERNAL if the bytes are not of it, RESOURCE_EXHAUSTED if the
 * message would be larger than `bytesMax`.
 */
export async function decompressed(
  bytes: Buffer,
  encoding: string | undefined,
  bytesMax: number,
): Promise<Buffer> {
  const decompress = decompressions[encoding ?? "identity"];
  if (decompress === undefined) {
    const message = `Received message compressed with unsupported encoding "${encoding}"`;
    throw new RpcError({ code: "UNIMPLEMENTED", message });
  }
  try {
    return await decompress(bytes, { maxOutputLength: bytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      const description = `Received message that decompresses to a size larger than ${bytesMax}`;
      throw resourceExhausted({ subject: "message", description, message: description });
    }
    throw new RpcError({ code: "INTERNAL", message: "Failed to decompress message" });
  }
}
