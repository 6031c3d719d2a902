import { createLogger } from "@devicemesh/kit/observability/logger";
import { createUnfinishedRequests } from "@devicemesh/kit/rpc/requests/incomplete-requests";
import { answerOf, enveloped, openHttp2 } from "@devicemesh/kit/testing/http2-fixture";
import { connectTo, readToClose } from "@devicemesh/kit/testing/socket-fixture";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AccessFixture, bearer, createAccessFixture } from "../../testing/access-fixture.ts";
import { startTestQuery } from "../../testing/query-fixture.ts";

const getAggregates = "/devicemesh.v1.QueryService/GetAggregates";
const contentTypes = ["application/proto", "application/json", "application/grpc", "application/grpc-web"];
const mebibyte = 1024 * 1024;

/** The beginning of a message of 1 MiB, in the framing of a content type. */
function beginning(contentType: string, bytes: number): Buffer {
  const message = Buffer.alloc(bytes);
  return contentType.startsWith("application/grpc") ? enveloped(message, mebibyte - 5) : message;
}

describe("a caller without a token", () => {
  let access: AccessFixture;
  beforeAll(async () => {
    access = await createAccessFixture();
  });
  afterAll(() => access[Symbol.dispose]());

  it.each(contentTypes)("is rejected by its headers, and its body is not read: %s", async (contentType) => {
    const unfinished = createUnfinishedRequests();
    let queuedMax = 0;
    const watched = {
      ...unfinished,
      open: (...parameters: Parameters<typeof unfinished.open>) => {
        const meter = unfinished.open(...parameters);
        return {
          ...meter,
          received(chunk: Uint8Array) {
            meter.received(chunk);
            queuedMax = Math.max(queuedMax, unfinished.bytes);
          },
        };
      },
    };
    await using running = await access.start("tokens", { unfinished: watched });
    using connection = openHttp2(running.baseUrl);
    const open = () => {
      const stream = connection.open({ ":path": getAggregates, "content-type": contentType });
      stream.write(beginning(contentType, mebibyte / 2));
      return stream;
    };
    const streams = Array.from({ length: 60 }, open);
    const answers = await Promise.all(streams.map(answerOf));
    for (const { headers, trailers, body } of answers) {
      const status = trailers["grpc-status"] ?? /grpc-status: (\d+)/.exec(body.toString())?.[1];
      expect(status === "16" || headers[":status"] === 401).toBe(true);
    }
    expect(queuedMax).toBe(0);
    // The streams are released, so the connection stays usable.
    await waitUntil(() => streams.every(({ closed }) => closed));
    const stream = connection.open({
      ":path": getAggregates,
      "content-type": "application/json",
      ...bearer(await access.issuer.token()),
    });
    stream.end("{}");
    expect((await answerOf(stream)).headers[":status"]).toBe(200);
  });
});

describe("a body that does not end", () => {
  it.each(contentTypes)("is rejected after a time limit, with the reason: %s", async (contentType) => {
    const unfinished = createUnfinishedRequests({ messageTimeoutMs: 200 });
    await using running = await startTestQuery({ dependencies: { unfinished } });
    using connection = openHttp2(running.baseUrl);
    const stream = connection.open({ ":path": getAggregates, "content-type": contentType });
    // A message of 1,000 bytes begins: single bytes of 0 would be complete, empty messages of gRPC.
    stream.write(Buffer.from([0, 0, 0, 3, 0xe8]));
    const trickle = setInterval(() => stream.closed || stream.write(Buffer.alloc(1)), 20);
    const { headers, trailers, body } = await answerOf(stream);
    clearInterval(trickle);
    const status = trailers["grpc-status"] ?? /grpc-status: (\d+)/.exec(body.toString())?.[1];
    expect(status === "4" || headers[":status"] === 504).toBe(true);
    expect(decodeURIComponent(String(trailers["grpc-message"] ?? body))).toContain(
      "not complete 200 ms after",
    );
    expect(unfinished.bytes).toBe(0);
  });

  it("does not block the response on an HTTP/1.1 connection", async () => {
    const unfinished = createUnfinishedRequests({ messageTimeoutMs: 100 });
    await using running = await startTestQuery({ dependencies: { unfinished } });
    const socket = await connectTo(running.query.port);
    socket.write(
      `POST ${getAggregates} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
    );
    const text = readToClose(socket);
    await waitUntil(() => socket.bytesRead > 0);
    socket.end();
    expect(await text).toMatch(/^HTTP\/1.1 504 [\s\S]*not complete/);
  });

  it.each(contentTypes)("is limited to the share of its connection: %s", async (contentType) => {
    const lines: string[] = [];
    const logger = createLogger({
      name: "t",
      level: "error",
      destination: { write: (line) => lines.push(line) },
    });
    const unfinished = createUnfinishedRequests({ connectionBytesMax: 4 * mebibyte });
    await using running = await startTestQuery({ logger, dependencies: { unfinished } });
    using connection = openHttp2(running.baseUrl);
    const rejections: string[] = [];
    const streams = Array.from({ length: 20 }, () => {
      const stream = connection.open({ ":path": getAggregates, "content-type": contentType });
      stream.write(beginning(contentType, mebibyte - 100_000));
      answerOf(stream).then(
        ({ trailers, body }) => rejections.push(decodeURIComponent(String(trailers["grpc-message"] ?? body))),
        () => {},
      );
      return stream;
    });
    // Four are kept up to the last byte that was sent; the others are rejected.
    await waitUntil(() => rejections.length === 16);
    for (const text of rejections) expect(text).toContain("unfinished requests of one connection");
    expect(unfinished.bytes).toBeLessThanOrEqual(4 * mebibyte);
    expect(unfinished.bytes).toBeGreaterThan(3 * mebibyte);
    for (const stream of streams) stream.close();
    await waitUntil(() => unfinished.bytes === 0);
    expect(lines).toEqual([]);
  });
});
