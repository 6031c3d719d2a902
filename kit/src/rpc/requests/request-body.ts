import { Code, ConnectError } from "@connectrpc/connect";
import type { OnePortRequest, OnePortResponse } from "../../server/one-port-server.ts";
import { toConnectError } from "../connect-status.ts";
import type { UnfinishedRequest, UnfinishedRequests } from "./incomplete-requests.ts";

/**
 * Returns the body of a request, which counts as incomplete from here on until it is read to its end or `end` is
 * called. Reading it fails with a ConnectError: CANCELED if the client disconnected, or the rejection of `unfinished`.
 * Ending it early does not break the connection: the response may still be read.
 */
export function openRequestBody(
  request: OnePortRequest,
  { unfinished, facts }: { readonly unfinished: UnfinishedRequests; readonly facts: UnfinishedRequest },
): { readonly bytes: AsyncIterable<Uint8Array>; end(): void } {
  const rejected = Promise.withResolvers<never>();
  // It may be rejected while no reader exists.
  rejected.promise.catch(() => {});
  const meter = unfinished.open(facts, (error) => rejected.reject(toConnectError(error)));

  async function* read(): AsyncIterable<Uint8Array> {
    const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
    try {
      for (;;) {
        const { value, done } = await Promise.race([nextOf(chunks), rejected.promise]);
        if (done) return;
        meter.received(value);
        yield value;
      }
    } finally {
      meter.end();
      // Waits for a pending chunk; after it, the rest can be dropped.
      chunks.return?.().catch(() => {});
    }
  }
  return { bytes: read(), end: () => meter.end() };
}

async function nextOf(chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
  try {
    return await chunks.next();
  } catch (error) {
    throw new ConnectError(
      "the client disconnected before its request was complete",
      Code.Canceled,
      undefined,
      undefined,
      error,
    );
  }
}

/**
 * Drops data that a client still sends when its response is complete: on HTTP/2 the stream is reset without an error,
 * on HTTP/1.1 the bytes are dropped until the time limit of requests closes the connection.
 */
export function releaseWhenAnswered(request: OnePortRequest, response: OnePortResponse): void {
  if (!("stream" in request)) {
    response.once("finish", () => request.resume());
    return;
  }
  const { stream } = request;
  const release = (): void => {
    if (!stream.closed && !request.complete) stream.close();
  };
  // A listener before this one sends the trailers; one turn later they are sent.
  stream.once("wantTrailers", () => setImmediate(release));
}
