import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import { describe, expect, it } from "vitest";
import { connectTo, readToClose } from "../../testing/socket-fixture.ts";
import { waitUntil } from "../../testing/test-helpers.ts";
import { type OnePortHandler, startOnePortServer } from "./one-port-server.ts";

const host = "127.0.0.1";

type Options = Partial<Parameters<typeof startOnePortServer>[0]>;

/** Responds with the version of the request and its body. */
const echo: OnePortHandler = (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => response.end(`${request.httpVersion} ${Buffer.concat(chunks)}`));
};

const start = (options: Options = {}) =>
  startOnePortServer({ host, port: 0, handler: echo, shutdownGraceMs: 5000, ...options });

async function fetchHttp2(session: http2.ClientHttp2Session, path = "/", body = ""): Promise<string> {
  const stream = session.request({ ":path": path, ":method": "POST" });
  stream.end(body);
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) {
    text += chunk;
  }
  return text;
}

/** Ends running requests only on request. */
function createGate() {
  const running: (() => void)[] = [];
  const handler: OnePortHandler = (_, response) => {
    running.push(() => response.end("done"));
  };
  return { handler, running };
}

describe("the connections of a one-port server", () => {
  it("accepts at most its limit of connections, and closes the oldest idle one first", async () => {
    const { handler, running } = createGate();
    await using server = await start({ handler, limits: { connectionsMax: 3 }, shutdownGraceMs: 100 });
    const session = http2.connect(`http://${host}:${server.port}`);
    const answers = [
      fetch(`http://${host}:${server.port}`).then((response) => response.text()),
      fetchHttp2(session),
    ];
    await waitUntil(() => running.length === 2);
    const silent = await connectTo(server.port);
    const another = await connectTo(server.port);
    expect(await readToClose(silent)).toBe("");
    expect(another.closed).toBe(false);
    for (const end of running) end();
    expect(await Promise.all(answers)).toEqual(["done", "done"]);
    another.destroy();
    session.close();
  });

  it("accepts at most its limit of connections of one address", async () => {
    await using server = await start({ limits: { loopbackConnectionsMax: 2 }, shutdownGraceMs: 100 });
    const sockets = await Promise.all([connectTo(server.port), connectTo(server.port)]);
    expect(await readToClose(await connectTo(server.port))).toBe("");
    expect(sockets.map(({ closed }) => closed)).toEqual([false, false]);
    sockets[0]!.destroy();
    await waitUntil(async () => {
      const socket = await connectTo(server.port);
      return await fetch(`http://${host}:${server.port}`)
        .then(
          () => true,
          () => false,
        )
        .finally(() => socket.destroy());
    });
    sockets[1]!.destroy();
  });

  it("renews an old connection when its calls have ended", async () => {
    const { handler, running } = createGate();
    await using server = await start({ handler, limits: { ageMaxMs: 50 }, shutdownGraceMs: 100 });
    const session = http2.connect(`http://${host}:${server.port}`);
    const answer = fetchHttp2(session);
    await waitUntil(() => running.length === 1);
    await once(session, "goaway");
    running[0]!();
    expect(await answer).toBe("done");
    await waitUntil(() => session.closed);
  });

  it("asks a client of HTTP/1.1 for a new connection when its own is old", async () => {
    await using server = await start({ limits: { ageMaxMs: 50 } });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await waitUntil(async () => {
      const request = http.get({ host, port: server.port, agent });
      const [response] = (await once(request, "response")) as [http.IncomingMessage];
      response.resume();
      await once(response, "end");
      return response.headers.connection === "close";
    });
    agent.destroy();
  });
});
