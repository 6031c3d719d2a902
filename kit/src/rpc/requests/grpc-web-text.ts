// gRPC-Web in base64, for clients that cannot read binary streams.
// Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";

/** Returns the same request in binary gRPC-Web. */
export function fromGrpcWebText(request: UniversalServerRequest): UniversalServerRequest {
  const header = new Headers(request.header);
  header.set("content-type", binaryTypeOf(header.get("content-type") ?? ""));
  header.delete("content-length");
  return { ...request, header, body: decoded(request.body as AsyncIterable<Uint8Array>) };
}

/**
 * Returns a response of binary gRPC-Web in base64; each chunk is padded separately, so that none waits for the next.
 */
export function toGrpcWebText(response: UniversalServerResponse): UniversalServerResponse {
  const type = response.header?.get("content-type");
  if (!response.body || !type?.startsWith("application/grpc-web")) return response;
  const header = new Headers(response.header);
  header.set("content-type", type.replace("application/grpc-web", "application/grpc-web-text"));
  return { ...response, header, body: encoded(response.body) };
}

function binaryTypeOf(textContentType: string): string {
  return textContentType.replace(/grpc-web-text/i, "grpc-web");
}

/** Groups of four characters; padding may end any of them. */
const groups = /^(?:[A-Za-z0-9+/]{2}(?:[A-Za-z0-9+/]{2}|[A-Za-z0-9+/]=|==))*$/;

async function* decoded(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let rest = "";
  for await (const chunk of body) {
    const text =
      rest +
      Buffer.from(chunk)
        .toString("latin1")
        .replace(/[\r\n]/g, "");
    const length = text.length - (text.length % 4);
    rest = text.slice(length);
    const whole = text.slice(0, length);
    if (!groups.test(whole)) throw malformed();
    // Clients may encode pieces separately, each with its own padding.
    for (const piece of whole.split(/(?<==)(?=[^=])/)) {
      if (piece !== "") yield Buffer.from(piece, "base64");
    }
  }
  if (rest !== "") throw malformed();
}

function malformed(): ConnectError {
  return new ConnectError("the body of application/grpc-web-text is not base64", Code.InvalidArgument);
}

async function* encoded(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const chunk of body) {
    yield Buffer.from(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("base64"));
  }
}
