import type * as http2 from "node:http2";
import { type OnePortHandler, startOnePortServer } from "../src/server/one-port-server.ts";

/** For tests: responds with the version of the request and its body. */
const echo: OnePortHandler = (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => response.end(`${request.httpVersion} ${Buffer.concat(chunks)}`));
};

/** For tests: starts a server on a free port; it echoes requests unless the options have a handler. */
export const startOnePort = (options: Partial<Parameters<typeof startOnePortServer>[0]> = {}) =>
  startOnePortServer({ host: "127.0.0.1", port: 0, handler: echo, shutdownGraceMs: 5000, ...options });

/** For tests: posts the body, and returns the text of the response. */
export async function fetchHttp2(session: http2.ClientHttp2Session, path = "/", body = ""): Promise<string> {
  const stream = session.request({ ":path": path, ":method": "POST" });
  stream.end(body);
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) text += chunk;
  return text;
}

/** For tests: a handler that ends its requests only when the functions in `running` are called. */
export function createGate() {
  const running: (() => void)[] = [];
  const handler: OnePortHandler = (_, response) => {
    running.push(() => response.end("done"));
  };
  return { handler, running };
}
