import { once } from "node:events";
import * as http2 from "node:http2";

/** For tests: the response on a stream. */
export type Http2Answer = {
  readonly headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;
  /** Empty if there were none. */
  readonly trailers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
};

/** For tests: a connection on which requests can be left incomplete; the caller awaits errors of its streams. */
export type Http2Connection = Disposable & {
  readonly session: http2.ClientHttp2Session;
  /** Sends the headers and, unless more bytes follow, the end. */
  open(headers: http2.OutgoingHttpHeaders): http2.ClientHttp2Stream;
};

/** Opens one without flow-control limits, without TLS unless `options` configure it. */
export function openHttp2(baseUrl: string, options: http2.SecureClientSessionOptions = {}): Http2Connection {
  const session = http2.connect(baseUrl, { maxSessionMemory: 1000, ...options });
  session.on("error", () => {});
  return {
    session,
    open(headers) {
      const stream = session.request({ ":method": "POST", te: "trailers", ...headers });
      return stream.on("error", () => {});
    },
    [Symbol.dispose]: () => session.destroy(),
  };
}

/** For tests: waits for the whole response, whether or not the request was ended. */
export async function answerOf(stream: http2.ClientHttp2Stream): Promise<Http2Answer> {
  let trailers: http2.IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  stream.on("trailers", (received: http2.IncomingHttpHeaders) => {
    trailers = received;
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [headers] = (await once(stream, "response")) as [Http2Answer["headers"]];
  if (!stream.readableEnded) await once(stream, "end");
  return { headers, trailers, body: Buffer.concat(chunks) };
}

/** For tests: a message with its prefix of five bytes. */
export function enveloped(message: Uint8Array, length = message.length): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, message]);
}
