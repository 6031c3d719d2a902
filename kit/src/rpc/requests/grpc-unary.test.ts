import { once } from "node:events";
import { constants } from "node:http2";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import {
  type ListSeriesRequest,
  ListSeriesRequestSchema,
  QueryService,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerOf, enveloped, type Http2Connection, openHttp2 } from "../../../testing/http2-fixture.ts";
import { waitUntil } from "../../../testing/test-helpers.ts";
import { silentLogger } from "../../observability/logger.ts";
import { startOnePortServer } from "../../server/one-port-server.ts";
import { createConnectHandler } from "../connect-handler.ts";
import { createErrorInterceptor, createRequestGate } from "../connect-status.ts";
import { RpcError } from "../rpc-error.ts";
import { createValidationInterceptor } from "./request-validation.ts";

const readMaxBytes = 2000;
const path = "/devicemesh.v1.QueryService/ListSeries";

type Handle = (request: ListSeriesRequest, signal: AbortSignal) => Promise<object>;

/** What the handler does is named by the request. */
const handle: Handle = async ({ pageToken, pageSize }) => {
  if (pageToken === "rpc error") {
    const description = "is 100 % wrong: °C";
    throw new RpcError({
      code: "INVALID_ARGUMENT",
      message: description,
      details: [{ kind: "badRequest", violations: [{ field: "page_token", description, reason: "x" }] }],
    });
  }
  if (pageToken === "connect error") throw new ConnectError("no: °C", Code.DataLoss, { "x-more": "1" });
  if (pageToken === "foreign error") throw new Error("secret");
  return { series: Array.from({ length: pageSize }, (_, place) => ({ deviceId: `device-${place}` })) };
};

/** Starts a server; with `isPlain` all calls are left to Connect. */
async function startServer(
  isPlain: boolean,
  listSeries: Handle = handle,
  { cut, onCheck = () => {} }: { readonly cut?: AbortSignal; readonly onCheck?: () => void } = {},
) {
  const logger = silentLogger();
  const routes = (router: ConnectRouter) => {
    const service = {
      listSeries: (request: ListSeriesRequest, { signal }: { signal: AbortSignal }) =>
        listSeries(request, signal),
    };
    router.service(QueryService, service, ...(isPlain ? [{ requireConnectProtocolHeader: false }] : []));
  };
  const handler = createConnectHandler({
    routes,
    logger,
    readMaxBytes,
    writeMaxBytes: 20_000,
    interceptors: [
      createErrorInterceptor({ logger, createRequestId: () => "id-1" }),
      createValidationInterceptor(),
    ],
    ...(cut && { shutdownSignal: cut }),
    gate: createRequestGate(
      async ({ requestHeader }) => {
        onCheck();
        if (requestHeader.has("x-stranger")) throw new RpcError({ code: "UNAUTHENTICATED", message: "who?" });
      },
      { logger, createRequestId: () => "id-1" },
    ),
  });
  return startOnePortServer({ host: "127.0.0.1", port: 0, handler, shutdownGraceMs: 1000 });
}

async function call(
  connection: Http2Connection,
  headers: Record<string, string>,
  chunks: readonly Uint8Array[],
) {
  const stream = connection.open({ ":path": path, "content-type": "application/grpc", ...headers });
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  const { headers: answered, trailers, body } = await answerOf(stream);
  const { date: _, ...others } = answered;
  return { headers: { ...others }, trailers: { ...trailers }, body: body.toString("hex") };
}

const messages = fc
  .record({
    deviceIds: fc.array(fc.string({ unit: "grapheme", maxLength: 20 }), { maxLength: 3 }),
    pageSize: fc.constantFrom(0, 1, 2, 60, 900, 1001),
    pageToken: fc.constantFrom("", "", "", "", "rpc error", "connect error", "foreign error"),
  })
  .map((init) => toBinary(ListSeriesRequestSchema, create(ListSeriesRequestSchema, init)));

/** Bodies as clients send them, and as they must not. */
const bodies = fc.oneof(
  { weight: 6, arbitrary: messages.map((message) => enveloped(message)) },
  messages.map((message) => {
    const body = enveloped(gzipSync(message));
    body[0] = 1;
    return body;
  }),
  messages.map((message) => Buffer.concat([enveloped(message), enveloped(message)])),
  messages.map((message) => enveloped(message, message.length + 3)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => enveloped(bytes)),
  fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
  fc.constant(enveloped(Buffer.alloc(readMaxBytes + 1))),
);

const headers = fc.record(
  {
    "content-type": fc.constantFrom("application/grpc", "application/grpc+proto", "application/grpc+json"),
    "grpc-timeout": fc.constantFrom("10S", "99999999H", "5000m", "0S", "tomorrow"),
    "grpc-encoding": fc.constantFrom("identity", "gzip", "snappy"),
    "grpc-accept-encoding": fc.constantFrom("gzip", "gzip,br", "br", "identity", "snappy,identity"),
    "x-request-id": fc.constantFrom("edge-42", "a b"),
    "x-stranger": fc.constant("yes"),
  },
  { requiredKeys: [] },
);

describe("createGrpcUnary", () => {
  it("answers every request as Connect does: the same headers, bytes and trailers", {
    timeout: 120_000,
  }, async () => {
    await using ours = await startServer(false);
    await using theirs = await startServer(true);
    using connection = openHttp2(`http://127.0.0.1:${ours.port}`);
    using reference = openHttp2(`http://127.0.0.1:${theirs.port}`);
    await fc.assert(
      fc.asyncProperty(headers, bodies, fc.nat(40), async (sent, body, cutAt) => {
        const chunks = [body.subarray(0, cutAt), body.subarray(cutAt)].filter(({ length }) => length > 0);
        const definite = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined));
        const answer = await call(connection, definite, chunks);
        expect(answer).toEqual(await call(reference, definite, chunks));
      }),
      { numRuns: 250 },
    );
  });

  it("aborts the signal of a call whose client cancels it, whose deadline passes, or which the server cuts", async () => {
    const reasons: unknown[] = [];
    const cutting = new AbortController();
    let begun = 0;
    const waiting: Handle = async (_, signal) => {
      begun++;
      await once(signal, "abort");
      reasons.push(signal.reason.code);
      throw signal.reason;
    };
    const ask = (connection: Http2Connection, sent: Record<string, string>) => {
      const stream = connection.open({ ":path": path, "content-type": "application/grpc", ...sent });
      stream.end(enveloped(new Uint8Array(0)));
      return stream;
    };
    await using server = await startServer(false, waiting, { cut: cutting.signal });
    using connection = openHttp2(`http://127.0.0.1:${server.port}`);
    const late = await answerOf(ask(connection, { "grpc-timeout": "20m" }));
    expect(late.trailers["grpc-status"]).toBe(`${Code.DeadlineExceeded}`);
    const canceled = ask(connection, {});
    await waitUntil(() => begun === 2);
    canceled.close(constants.NGHTTP2_CANCEL);
    const cut = answerOf(ask(connection, {}));
    await waitUntil(() => begun === 3 && reasons.length === 2);
    cutting.abort(new ConnectError("stopping", Code.Unavailable));
    expect((await cut).trailers).toMatchObject({
      "grpc-status": `${Code.Unavailable}`,
      "grpc-message": "stopping",
    });
    expect(reasons).toEqual([Code.DeadlineExceeded, Code.Canceled, Code.Unavailable]);
  });

  it("does not end a call whose deadline is beyond the range of a timer", async () => {
    // A timer out of range is due after a millisecond, before this one.
    const slow: Handle = (_, signal) => delay(20, {}, { signal });
    for (const isPlain of [false, true]) {
      await using server = await startServer(isPlain, slow);
      using connection = openHttp2(`http://127.0.0.1:${server.port}`);
      const { trailers } = await call(connection, { "grpc-timeout": "99999999H" }, [
        enveloped(new Uint8Array(0)),
      ]);
      expect(trailers["grpc-status"]).toBe("0");
    }
  });

  it("passes every call through the gate once, with and without Connect", async () => {
    let checks = 0;
    await using server = await startServer(false, handle, { onCheck: () => checks++ });
    using connection = openHttp2(`http://127.0.0.1:${server.port}`);
    const message = toBinary(ListSeriesRequestSchema, create(ListSeriesRequestSchema, { pageSize: 1 }));
    const malformed = enveloped(Buffer.from([0xff, 0xff]));
    const packed = enveloped(gzipSync(message));
    packed[0] = 1;
    const requests: readonly [Record<string, string>, Uint8Array][] = [
      [{}, enveloped(message)],
      [{}, malformed],
      [{}, Buffer.concat([enveloped(message), enveloped(message)])],
      [{}, enveloped(Buffer.alloc(readMaxBytes + 1))],
      [{ "grpc-encoding": "gzip" }, packed],
      [{ "x-stranger": "yes" }, enveloped(message)],
      [{ "x-stranger": "yes" }, malformed],
      [{ "content-type": "application/grpc-web" }, malformed],
      [{ "content-type": "application/proto" }, Buffer.from([0xff, 0xff])],
    ];
    for (const [headers, body] of requests) {
      checks = 0;
      await call(connection, headers, [body]);
      expect([headers, body.length, checks]).toEqual([headers, body.length, 1]);
    }
  });
});
