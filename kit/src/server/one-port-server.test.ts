import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { createGate, fetchHttp2, startOnePort } from "../../testing/one-port-fixture.ts";
import { connectTo, listenAnywhere, readToClose } from "../../testing/socket-fixture.ts";
import { waitUntil } from "../../testing/test-helpers.ts";
import { onePortDefaults } from "./one-port-server.ts";
import { PortInUseError } from "./port-in-use-error.ts";

const host = "127.0.0.1";

describe("startOnePortServer", () => {
  it("serves both protocols on one port, bodies included", async () => {
    await using server = await startOnePort();
    const session = http2.connect(`http://${host}:${server.port}`);
    const body = "x".repeat(300_000);
    expect(await fetchHttp2(session, "/", body)).toBe(`2.0 ${body}`);
    const response = await fetch(`http://${host}:${server.port}`, { method: "POST", body });
    expect(await response.text()).toBe(`1.1 ${body}`);
    session.close();
  });

  it("keeps an HTTP/1.1 connection for the next request", async () => {
    await using server = await startOnePort();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let i = 0; i < 3; i += 1) {
      const request = http.get({ host, port: server.port, agent });
      const [response] = (await once(request, "response")) as [http.IncomingMessage];
      ports.add(response.socket.localPort);
      response.resume();
      await once(response, "end");
    }
    expect(ports.size).toBe(1);
    agent.destroy();
  });

  it("serves a client whose bytes arrive one at a time", async () => {
    await using server = await startOnePort();
    const socket = await connectTo(server.port);
    const text = readToClose(socket);
    for (const letter of "PUT / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi") {
      await new Promise((resolve) => socket.write(letter, resolve));
    }
    expect(await text).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*1.1 hi/);
  });

  it("announces its limit of streams to HTTP/2 clients", async () => {
    await using server = await startOnePort();
    const session = http2.connect(`http://${host}:${server.port}`);
    const [settings] = (await once(session, "remoteSettings")) as [http2.Settings];
    expect(settings.maxConcurrentStreams).toBe(onePortDefaults.streamsMax);
    session.close();
  });

  it("names the address when the port is in use", async () => {
    const other = createServer();
    const port = await listenAnywhere(other);
    const failure = startOnePort({ port });
    await expect(failure).rejects.toBeInstanceOf(PortInUseError);
    await expect(failure).rejects.toThrow(`127.0.0.1:${port} is already in use`);
    other.close();
  });

  it("answers 500 and continues when a handler throws", async () => {
    const errors: unknown[] = [];
    await using server = await startOnePort({
      handler: () => {
        throw new Error("broken handler");
      },
      onError: (error) => errors.push(error),
    });
    expect((await fetch(`http://${host}:${server.port}`)).status).toBe(500);
    const session = http2.connect(`http://${host}:${server.port}`);
    const stream = session.request({ ":path": "/" });
    const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
    expect(headers[":status"]).toBe(500);
    expect(errors).toEqual([new Error("broken handler"), new Error("broken handler")]);
    session.close();
  });
});

describe("startOnePortServer with clients that misbehave", () => {
  const limits = {
    firstBytesTimeoutMs: 100,
    headersTimeoutMs: 100,
    requestTimeoutMs: 200,
    idleTimeoutMs: 100,
  };

  it.each([
    ["sends nothing", ""],
    ["sends half a preface", "PRI * HT"],
  ])("closes a connection that %s", async (_, text) => {
    await using server = await startOnePort({ limits });
    const socket = await connectTo(server.port);
    socket.write(text);
    expect(await readToClose(socket)).toBe("");
  });

  it.each([
    ["headers", "GET / HTTP/1.1\r\nhost: a\r\n"],
    ["a body", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf"],
  ])("answers 408 to a request that never ends its %s", async (_, text) => {
    await using server = await startOnePort({ limits });
    const socket = await connectTo(server.port);
    socket.write(text);
    expect(await readToClose(socket)).toMatch(/^HTTP\/1.1 408/);
  });

  it("answers 400 to bytes that are not HTTP", async () => {
    await using server = await startOnePort();
    const socket = await connectTo(server.port);
    socket.write("\x00\xff garbage\r\n\r\n");
    expect(await readToClose(socket)).toMatch(/^HTTP\/1.1 400/);
  });

  it("closes a session of garbage frames, and serves the next client", async () => {
    const errors: unknown[] = [];
    await using server = await startOnePort({ onError: (error) => errors.push(error) });
    const socket = await connectTo(server.port);
    socket.write(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${"garbage ".repeat(100)}`);
    await readToClose(socket);
    expect(errors.length).toBeGreaterThan(0);
    expect(await (await fetch(`http://${host}:${server.port}`)).text()).toBe("1.1 ");
  });

  it("survives connections that are reset, with and without a running request", async () => {
    const { handler, running } = createGate();
    const errors: unknown[] = [];
    await using server = await startOnePort({
      handler,
      shutdownGraceMs: 100,
      onError: (error) => errors.push(error),
    });
    for (const text of ["", "G", "GET / HTTP/1.1\r\nhost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]) {
      const socket = await connectTo(server.port);
      await new Promise((resolve) => socket.write(text, resolve));
      if (text.startsWith("GET")) {
        await waitUntil(() => running.length === 1);
      }
      socket.resetAndDestroy();
    }
    const session = http2.connect(`http://${host}:${server.port}`);
    session.on("error", () => {});
    session.request({ ":path": "/" }).on("error", () => {});
    await waitUntil(() => running.length === 2);
    session.destroy();
    const answer = fetch(`http://${host}:${server.port}`);
    await waitUntil(() => running.length === 3);
    for (const end of running) {
      end();
    }
    expect(await (await answer).text()).toBe("done");
    expect(errors).toContainEqual(expect.objectContaining({ code: "ECONNRESET" }));
  });

  it("closes an idle HTTP/2 connection, and no other", async () => {
    const { handler, running } = createGate();
    await using server = await startOnePort({ handler, limits, shutdownGraceMs: 100 });
    const busy = http2.connect(`http://${host}:${server.port}`);
    const answer = fetchHttp2(busy);
    await waitUntil(() => running.length === 1);
    const idle = http2.connect(`http://${host}:${server.port}`);
    await once(idle, "close");
    expect(busy.closed).toBe(false);
    running[0]!();
    expect(await answer).toBe("done");
    await once(busy, "close");
  });
});

describe("closing a one-port server", () => {
  it("lets running requests of both protocols finish, and accepts no new connections", async () => {
    const { handler, running } = createGate();
    // Longer than the time limit of a test: closing must not wait for it.
    const server = await startOnePort({ handler, shutdownGraceMs: 600_000 });
    const url = `http://${host}:${server.port}`;
    const session = http2.connect(url);
    const answers = [fetch(url).then((response) => response.text()), fetchHttp2(session)];
    await waitUntil(() => running.length === 2);
    const closing = server.close();
    await expect(connectTo(server.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    for (const end of running) {
      end();
    }
    expect(await Promise.all(answers)).toEqual(["done", "done"]);
    await closing;
  });

  it("closes idle connections at once", async () => {
    const server = await startOnePort({ shutdownGraceMs: 600_000 });
    const url = `http://${host}:${server.port}`;
    const agent = new http.Agent({ keepAlive: true });
    const [response] = (await once(http.get(url, { agent }), "response")) as [http.IncomingMessage];
    response.resume();
    await once(response, "end");
    const session = http2.connect(url);
    await fetchHttp2(session);
    const silent = await connectTo(server.port);
    await expect(server.close()).resolves.toBeUndefined();
    silent.destroy();
    agent.destroy();
  });

  it("cuts running requests after the grace period", async () => {
    const { handler, running } = createGate();
    const server = await startOnePort({ handler, shutdownGraceMs: 100 });
    const url = `http://${host}:${server.port}`;
    const session = http2.connect(url);
    session.on("error", () => {});
    const failures = Promise.allSettled([fetch(url), fetchHttp2(session)]);
    await waitUntil(() => running.length === 2);
    await server.close();
    expect((await failures)[0]).toMatchObject({ status: "rejected" });
    await waitUntil(() => session.closed);
  });

  it("may be closed twice, calls onClosing once, and frees the port", async () => {
    let closings = 0;
    const server = await startOnePort({
      onClosing: () => {
        closings += 1;
      },
    });
    await Promise.all([server.close(), server.close()]);
    await server.close();
    expect(closings).toBe(1);
    await using again = await startOnePort({ port: server.port });
    expect(again.port).toBe(server.port);
  });
});
