import { once } from "node:events";
import * as http2 from "node:http2";
import { connect } from "node:tls";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { createUnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import { answerOf, enveloped, openHttp2 } from "@devicemesh/kit/testing/http2-fixture";
import { connectTo, readToClose } from "@devicemesh/kit/testing/socket-fixture";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createIdentityFixture } from "../../testing/identity-fixture.ts";
import {
  createTestClient,
  frameOf,
  ingestServers,
  startTestIngest,
  thermostatReading,
} from "../../testing/ingest-fixture.ts";

const service = "/devicemesh.v1.IngestService";
const methods = ["PublishReadings", "PublishReadingBatch"] as const;
const mebibyte = 1024 * 1024;
const grpc = { "content-type": "application/grpc" };
const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR } = http2.constants;

describe.each(ingestServers)("a sender without a certificate, on %s", (server) => {
  let identity: Awaited<ReturnType<typeof createIdentityFixture>>;
  beforeAll(async () => {
    identity = await createIdentityFixture();
  });
  afterAll(() => identity[Symbol.dispose]());

  it.each(methods)(
    "is rejected by its headers: 60 unfinished bodies of one connection are not buffered, %s",
    async (method) => {
      const unfinished = createUnfinishedRequests();
      await using ingest = await identity.start("certificates", { server, unfinished });
      using connection = openHttp2(`https://127.0.0.1:${ingest.port}`, { rejectUnauthorized: false });
      const streams = Array.from({ length: 60 }, () => {
        const stream = connection.open({ ":path": `${service}/${method}`, ...grpc });
        stream.write(enveloped(Buffer.alloc(mebibyte), 7.6 * mebibyte));
        return stream;
      });
      const answers = await Promise.all(streams.map(answerOf));
      expect(new Set(answers.map((answer) => statusOf(answer).code))).toEqual(new Set(["16"]));
      expect(unfinished.bytes).toBe(0);
      expect(ingest.ingest.stats().bytes).toBe(0);
      // Nor are the readings in flight: the streams are closed.
      await waitUntil(() => streams.every(({ closed }) => closed));
    },
  );

  it("is disconnected after a time limit", async () => {
    await using ingest = await identity.start("certificates", { server, unverifiedMs: 100 });
    const socket = connect({
      host: "127.0.0.1",
      port: ingest.port,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
    });
    socket.on("error", () => {});
    await once(socket, "secureConnect");
    const session = http2.connect("https://127.0.0.1", { createConnection: () => socket });
    session.on("error", () => {});
    if (!socket.closed) await once(socket, "close");
    // A client with a certificate stays connected.
    const certified = await identity.certified("spiffe://devicemesh/device/a");
    const client = ingest.connect(certified.credentials);
    const stream = client.openStream();
    await waitUntil(() => ingest.ingest.stats().openStreams === 1);
    const other = connect({
      host: "127.0.0.1",
      port: ingest.port,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
    });
    other.on("error", () => {});
    await once(other, "close");
    stream.call.end(frameOf(thermostatReading("a")));
    expect(await stream.outcome).toMatchObject({ response: { accepted: 1n } });
  });
});

describe.each(ingestServers)("a body that never ends, on %s", (server) => {
  it.each(methods)("is limited to the share of its connection, %s", async (method) => {
    const unfinished = createUnfinishedRequests({ connectionBytesMax: 8 * mebibyte });
    await using test = await startTestIngest({ server, dependencies: { unfinished } });
    using connection = openHttp2(`http://127.0.0.1:${test.port}`);
    const rejections: string[] = [];
    const streams = Array.from({ length: 60 }, () => {
      const stream = connection.open({ ":path": `${service}/${method}`, ...grpc });
      stream.write(enveloped(Buffer.alloc(mebibyte - 1), mebibyte));
      answerOf(stream).then(
        (answer) => rejections.push(`${statusOf(answer).code} ${statusOf(answer).message}`),
        () => {},
      );
      return stream;
    });
    await waitUntil(() => rejections.length >= 52);
    expect(rejections[0]).toMatch(/^8 unfinished requests of one connection: at most 8388608 bytes/);
    expect(unfinished.bytes).toBeLessThanOrEqual(8 * mebibyte);
    // Another connection is not affected.
    const client = createTestClient(test.port);
    expect(await client.publish(frameOf(thermostatReading("a")))).toMatchObject({
      response: { accepted: 1n },
    });
    client.close();
    for (const stream of streams) stream.close();
    await waitUntil(() => unfinished.bytes === 0);
  });

  it.each(methods)(
    "is not received at all if it is much larger than the limit of a frame, %s",
    async (method) => {
      const unfinished = createUnfinishedRequests();
      await using test = await startTestIngest({ server, dependencies: { unfinished } });
      using connection = openHttp2(`http://127.0.0.1:${test.port}`);
      const stream = connection.open({ ":path": `${service}/${method}`, ...grpc });
      stream.write(enveloped(Buffer.alloc(10), 2 * mebibyte));
      expect(statusOf(await answerOf(stream)).code).toBe("8");
      await waitUntil(() => unfinished.bytes === 0);
    },
  );

  it.each(methods)(
    "is rejected after a time limit, even if a byte arrives now and then, %s",
    async (method) => {
      const unfinished = createUnfinishedRequests({ messageTimeoutMs: 200 });
      await using test = await startTestIngest({ server, dependencies: { unfinished } });
      using connection = openHttp2(`http://127.0.0.1:${test.port}`);
      const stream = connection.open({ ":path": `${service}/${method}`, ...grpc });
      stream.write(enveloped(Buffer.alloc(1), 1000));
      const trickle = setInterval(() => stream.closed || stream.write(Buffer.alloc(1)), 20);
      const { code, message } = statusOf(await answerOf(stream));
      clearInterval(trickle);
      expect(code).toBe("4");
      expect(message).toContain("not complete 200 ms after it began");
    },
  );
});

describe("a call that ingest does not serve", () => {
  it.each([
    [
      "/devicemesh.v1.QueryService/GetAggregates",
      "devicemesh.v1.QueryService is not served at this address; it is served at 127.0.0.1:8080",
    ],
    [
      "/devicemesh.v1.IngestService/Publish",
      "devicemesh.v1.IngestService has no method Publish; it has PublishReadings, PublishReadingBatch",
    ],
  ])("returns UNIMPLEMENTED and what to call instead: %s", async (path, message) => {
    const addressOf = () => "127.0.0.1:8080";
    await using test = await startTestIngest({ dependencies: { addressOf } });
    using connection = openHttp2(`http://127.0.0.1:${test.ingest.port}`);
    const stream = connection.open({ ":path": path, ...grpc });
    const { headers } = await answerOf(stream);
    expect(headers).toMatchObject({ ":status": 200, "grpc-status": "12" });
    expect(decodeURI(String(headers["grpc-message"]))).toBe(message);
  });

  it.each([undefined, "application/json"])(
    "returns the required format if its content type is %s",
    async (type) => {
      await using test = await startTestIngest();
      using connection = openHttp2(`http://127.0.0.1:${test.ingest.port}`);
      const path = `${service}/PublishReadingBatch`;
      const stream = connection.open({
        ":path": path,
        ...(type === undefined ? {} : { "content-type": type }),
      });
      const { headers, body } = await answerOf(stream);
      expect(headers[":status"]).toBe(415);
      expect(body.toString()).toContain("send application/grpc+proto");
      await waitUntil(() => stream.closed);
    },
  );

  it("names the required protocol to a client of HTTP/1.1", async () => {
    await using test = await startTestIngest();
    const socket = await connectTo(test.ingest.port);
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    expect(await readToClose(socket)).toMatch(/^HTTP\/1.1 505 [\s\S]*gRPC over HTTP\/2/);
  });
});

it.each(ingestServers)(
  "does not end a call at once if its deadline is beyond the range of a timer, on %s",
  async (server) => {
    await using test = await startTestIngest({ server });
    using connection = openHttp2(`http://127.0.0.1:${test.port}`);
    for (const timeout of ["99999999H", "600H", "2147484S"]) {
      const headers = { ":path": `${service}/PublishReadings`, ...grpc, "grpc-timeout": timeout };
      const stream = connection.open(headers);
      const open = test.ingest.stats().openStreams;
      await waitUntil(() => test.ingest.stats().openStreams > open || stream.closed);
      stream.end(enveloped(frameOf(thermostatReading("a"))));
      expect((await answerOf(stream)).trailers["grpc-status"]).toBe("0");
    }
  },
);

describe("silent connections", () => {
  it("do not block other clients, however many there are", async () => {
    const connections = { connectionsMax: 8 };
    await using test = await startTestIngest({ config: { connections } });
    const silent = await Promise.all(Array.from({ length: 40 }, () => connectTo(test.ingest.port)));
    const client = createTestClient(test.ingest.port);
    expect(await client.publish(frameOf(thermostatReading("a")))).toMatchObject({
      response: { accepted: 1n },
    });
    client.close();
    for (const socket of silent) socket.destroy();
  });

  it("are closed if they have sent nothing, or only the preface", async () => {
    const connections = { firstBytesTimeoutMs: 100, idleTimeoutMs: 200 };
    await using test = await startTestIngest({ config: { connections } });
    const silent = await connectTo(test.ingest.port);
    expect(await readToClose(silent)).toBe("");
    using connection = openHttp2(`http://127.0.0.1:${test.ingest.port}`);
    await once(connection.session, "close");
    const half = await connectTo(test.ingest.port);
    half.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    await readToClose(half);
  });

  it("are not closed while a unit is open, which may finish on an old connection", async () => {
    const connections = { idleTimeoutMs: 50, ageMaxMs: 50 };
    await using test = await startTestIngest({ config: { connections } });
    using connection = openHttp2(`http://127.0.0.1:${test.ingest.port}`);
    const stream = connection.open({ ":path": `${service}/PublishReadings`, ...grpc });
    await once(connection.session, "goaway");
    stream.end(enveloped(frameOf(thermostatReading("a"))));
    expect((await answerOf(stream)).trailers["grpc-status"]).toBe("0");
  });
});

describe.each(ingestServers)("a sender that disconnects, on %s", (server) => {
  it.each([
    ["cancels", (stream: http2.ClientHttp2Stream) => stream.close(NGHTTP2_CANCEL)],
    ["resets without an error", (stream: http2.ClientHttp2Stream) => stream.close(NGHTTP2_NO_ERROR)],
    ["resets with INTERNAL_ERROR", (stream: http2.ClientHttp2Stream) => stream.close(NGHTTP2_INTERNAL_ERROR)],
    ["breaks the connection", (stream: http2.ClientHttp2Stream) => stream.session!.destroy()],
  ])("is not an error in the log, whatever it had sent: %s", async (_, leave) => {
    const lines: string[] = [];
    const logger = createLogger({
      name: "t",
      level: "warn",
      destination: { write: (line) => lines.push(line) },
    });
    for (const method of methods) {
      for (const body of [Buffer.alloc(0), Buffer.alloc(2), enveloped(frameOf(thermostatReading("a")))]) {
        await using test = await startTestIngest({ server, dependencies: { logger } });
        using connection = openHttp2(`http://127.0.0.1:${test.port}`);
        const stream = connection.open({ ":path": `${service}/${method}`, ...grpc });
        if (body.length > 0) await new Promise((resolve) => stream.write(body, resolve));
        else await once(stream, "ready");
        leave(stream);
        await test.ingest.close();
      }
    }
    expect(lines).toEqual([]);
  });
});

/** The status of gRPC, which is in the headers or the trailers. */
function statusOf({ headers, trailers }: Awaited<ReturnType<typeof answerOf>>) {
  const { "grpc-status": code, "grpc-message": message = "" } = { ...headers, ...trailers };
  return { code, message: decodeURI(String(message)) };
}
