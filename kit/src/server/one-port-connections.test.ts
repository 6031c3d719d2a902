import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import { describe, expect, it } from "vitest";
import { createGate, fetchHttp2, startOnePort } from "../../testing/one-port-fixture.ts";
import { connectTo, readToClose } from "../../testing/socket-fixture.ts";
import { waitUntil } from "../../testing/test-helpers.ts";

const host = "127.0.0.1";

describe("the connections of a one-port server", () => {
  it("accepts at most its limit of connections, and closes the oldest idle one first", async () => {
    const { handler, running } = createGate();
    await using server = await startOnePort({ handler, limits: { connectionsMax: 3 }, shutdownGraceMs: 100 });
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
    await using server = await startOnePort({ limits: { loopbackConnectionsMax: 2 }, shutdownGraceMs: 100 });
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
    await using server = await startOnePort({ handler, limits: { ageMaxMs: 50 }, shutdownGraceMs: 100 });
    const session = http2.connect(`http://${host}:${server.port}`);
    const answer = fetchHttp2(session);
    await waitUntil(() => running.length === 1);
    await once(session, "goaway");
    running[0]!();
    expect(await answer).toBe("done");
    await waitUntil(() => session.closed);
  });

  it("requests a new connection from a client of HTTP/1.1 when its own is old", async () => {
    await using server = await startOnePort({ limits: { ageMaxMs: 50 } });
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
