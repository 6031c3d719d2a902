/** Encodes a text for `grpc-message`. */
export function encodedGrpcMessage(text: string): string {
  return text.replaceAll(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent);
}
