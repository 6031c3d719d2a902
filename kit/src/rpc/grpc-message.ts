import type { UniversalServerResponse } from "@connectrpc/connect/protocol";

const header = "grpc-message";

/**
 * Returns the response with gRPC's status text encoded according to the specification: of ASCII only `%` and control
 * characters are escaped. Connect escapes punctuation too, and clients on grpc-js show such escapes literally.
 */
export function withPlainGrpcMessage(response: UniversalServerResponse): UniversalServerResponse {
  const { body, trailer } = response;
  return body && trailer ? { ...response, body: withPlainTrailer(body, trailer) } : response;
}

async function* withPlainTrailer(
  body: AsyncIterable<Uint8Array>,
  trailer: Headers,
): AsyncIterable<Uint8Array> {
  yield* body;
  // Connect sets it at the end of the body; the trailers are sent after that.
  const message = trailer.get(header);
  if (message !== null) trailer.set(header, encodedGrpcMessage(decodeURIComponent(message)));
}

/** Encodes a text for `grpc-message`. */
export function encodedGrpcMessage(text: string): string {
  return text.replaceAll(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent);
}
