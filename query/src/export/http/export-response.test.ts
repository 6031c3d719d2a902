import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect, constants } from "node:http2";
import { startOnePortServer } from "@devicemesh/kit/server/one-port-server";
import { expect, it, onTestFinished } from "vitest";
import { sendBytes } from "./export-response.ts";

it("does not wait for a client of HTTP/2 that has disconnected before more bytes are sent", async () => {
  const begun = Promise.withResolvers<void>();
  const sent = Promise.withResolvers<void>();
  const server = await startOnePortServer({
    host: "127.0.0.1",
    port: 0,
    async handler(_, response) {
      const closed = once(response as ServerResponse, "close");
      begun.resolve();
      await closed;
      sendBytes(response, Buffer.from("rows"), 600_000).then(sent.resolve, sent.reject);
    },
    shutdownGraceMs: 0,
  });
  onTestFinished(() => server.close());
  const session = connect(`http://127.0.0.1:${server.port}`);
  onTestFinished(() => session.destroy());
  const stream = session.request({ ":path": "/" }).on("error", () => {});
  await begun.promise;
  stream.close(constants.NGHTTP2_CANCEL);
  await expect(sent.promise).rejects.toThrow("the client disconnected");
});
