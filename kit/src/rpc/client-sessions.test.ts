import { once } from "node:events";
import { createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { createClientSessions } from "./client-sessions.ts";

it("survives a connection that the server ends between two calls", async () => {
  const server = createServer();
  const sessions: ServerHttp2Session[] = [];
  server.on("session", (session) => sessions.push(session));
  server.on("stream", (stream) => {
    stream.respond({ ":status": 200 });
    stream.end("ok");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = createClientSessions(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const call = async () => {
    const stream = await client.request("POST", "/", {}, {});
    const { session } = stream;
    const closed = once(stream, "close");
    const text = Buffer.concat(await stream.end().toArray()).toString();
    await closed;
    return { session, text };
  };
  const { session, text } = await call();
  expect(text).toBe("ok");
  const ended = new Promise<void>((resolve) => session?.once("goaway", () => resolve()));
  const closed = new Promise<void>((resolve) => session?.once("close", resolve));
  sessions[0]?.goaway(0);
  // The connection is destroyed now, and its socket not closed yet.
  await ended;
  expect((await call()).text).toBe("ok");
  // An uncaught exception would be raised before this, and fail the run.
  await closed;
  expect(sessions).toHaveLength(2);
  client.abort();
  server.close();
});
