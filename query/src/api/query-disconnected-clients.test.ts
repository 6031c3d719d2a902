import { once } from "node:events";
import * as http2 from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { enveloped, openHttp2 } from "@devicemesh/kit/testing/http2-fixture";
import { connectTo } from "@devicemesh/kit/testing/socket-fixture";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import {
  GetAggregatesRequestSchema,
  ListReadingsRequestSchema,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { startTestQuery, stuckStore, temperature } from "../../testing/query-fixture.ts";
import type { ReadingStore } from "../store/reading-store.ts";

const service = "/devicemesh.v1.QueryService";
const listRequest = Buffer.from(
  toBinary(ListReadingsRequestSchema, create(ListReadingsRequestSchema, { pageSize: 1000 })),
);
const message = toBinary(GetAggregatesRequestSchema, create(GetAggregatesRequestSchema));
const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR, NGHTTP2_PROTOCOL_ERROR } = http2.constants;

/** A request of each protocol: its content type and body. */
const protocols = [
  [
    "Connect",
    { unary: ["application/proto", message], stream: ["application/connect+proto", enveloped(message)] },
  ],
  [
    "Connect in JSON",
    { unary: ["application/json", "{}"], stream: ["application/connect+json", enveloped(Buffer.from("{}"))] },
  ],
  [
    "gRPC",
    { unary: ["application/grpc", enveloped(message)], stream: ["application/grpc", enveloped(message)] },
  ],
  [
    "gRPC-Web",
    {
      unary: ["application/grpc-web", enveloped(message)],
      stream: ["application/grpc-web", enveloped(message)],
    },
  ],
  [
    "gRPC-Web in base64",
    {
      unary: ["application/grpc-web-text", enveloped(message).toString("base64")],
      stream: ["application/grpc-web-text", enveloped(message).toString("base64")],
    },
  ],
] as const;

const calls = [
  ["a unary call", "unary", "GetAggregates"],
  ["a stream", "stream", "WatchAggregates"],
] as const;

/** The ways of HTTP/2 to disconnect. */
const leavings: [string, (stream: http2.ClientHttp2Stream) => void][] = [
  ["cancels", (stream) => stream.close(NGHTTP2_CANCEL)],
  ["resets without an error", (stream) => stream.close(NGHTTP2_NO_ERROR)],
  ["resets with INTERNAL_ERROR", (stream) => stream.close(NGHTTP2_INTERNAL_ERROR)],
  ["resets with PROTOCOL_ERROR", (stream) => stream.close(NGHTTP2_PROTOCOL_ERROR)],
  ["breaks the connection", (stream) => stream.session!.destroy()],
];

/** A query whose reads never end by themselves, and its log lines at level error. */
async function start({
  isStuck = true,
  interrupted,
}: {
  readonly isStuck?: boolean;
  readonly interrupted?: () => Error;
} = {}) {
  const lines: string[] = [];
  const logger = createLogger({
    name: "test",
    level: "error",
    destination: { write: (line) => lines.push(line) },
  });
  let stuck: ReturnType<typeof stuckStore> | undefined;
  const running = await startTestQuery({
    logger,
    wrap: (store) => {
      stuck = stuckStore(store);
      if (!isStuck) return store;
      return interrupted === undefined ? stuck : { ...stuck, readHorizon: interruptible(stuck, interrupted) };
    },
  });
  running.memory.append([temperature("a", -10_000, 20)]);
  return { ...running, lines, waiting: () => stuck!.waiting };
}

/** Reads like a database that fails with an error of its own when it is interrupted. */
function interruptible(store: ReadingStore, interrupted: () => Error): ReadingStore["readHorizon"] {
  return async (signal) => {
    try {
      return await store.readHorizon(signal);
    } catch {
      throw interrupted();
    }
  };
}

describe("a client that disconnects", () => {
  let printed: MockInstance[];
  beforeEach(() => {
    printed = [vi.spyOn(console, "error"), vi.spyOn(console, "warn"), vi.spyOn(process.stderr, "write")];
  });
  afterEach(() => {
    const output = printed.flatMap(({ mock }) => mock.calls);
    vi.restoreAllMocks();
    expect(output).toEqual([]);
  });

  for (const [name, bodies] of protocols) {
    for (const [what, kind, method] of calls) {
      const [contentType, body] = bodies[kind];
      it.each(leavings)(`is not an error: ${what}, ${name}, HTTP/2, %s`, async (_, leave) => {
        await using running = await start();
        using connection = openHttp2(running.baseUrl);
        const stream = connection.open({ ":path": `${service}/${method}`, "content-type": contentType });
        stream.end(body);
        await waitUntil(() => running.waiting() === 1);
        leave(stream);
        await waitUntil(() => running.waiting() === 0);
        await running.query.close();
        expect(running.lines).toEqual([]);
      });

      it.each([
        ["before its request is complete", false],
        ["while it waits", true],
      ])(`is not an error: ${what}, ${name}, HTTP/1.1, %s`, async (_, isComplete) => {
        await using running = await start();
        const socket = await connectTo(running.query.port);
        const length = Buffer.byteLength(body) + (isComplete ? 0 : 10);
        socket.write(
          `POST ${service}/${method} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${contentType}\r\ncontent-length: ${length}\r\n\r\n`,
        );
        await new Promise((resolve) => socket.write(body, resolve));
        if (isComplete) await waitUntil(() => running.waiting() === 1);
        socket.resetAndDestroy();
        await waitUntil(() => running.waiting() === 0);
        await running.query.close();
        expect(running.lines).toEqual([]);
      });
    }
  }

  it.each(leavings)("is not an error while it receives a large answer: %s", async (_, leave) => {
    await using running = await start({ isStuck: false });
    running.memory.append(Array.from({ length: 2000 }, (_, i) => temperature("d".repeat(120), -i, 20)));
    for (const contentType of ["application/proto", "application/grpc", "application/grpc-web-text"]) {
      using connection = openHttp2(running.baseUrl);
      const stream = connection.open({ ":path": `${service}/ListReadings`, "content-type": contentType });
      const body = contentType === "application/proto" ? listRequest : enveloped(listRequest);
      stream.end(contentType.endsWith("text") ? body.toString("base64") : body);
      // The client reads nothing, so the answer fills the window of the stream and waits.
      await once(stream, "response");
      leave(stream);
    }
    await running.query.close();
    expect(running.lines).toEqual([]);
  });

  it.each(leavings)(
    "is not an error if the interrupted work fails with its own errors: %s",
    async (_, leave) => {
      await using running = await start({ interrupted: () => new Error("operation was interrupted") });
      using connection = openHttp2(running.baseUrl);
      for (const [, , method] of calls) {
        const stream = connection.open({
          ":path": `${service}/${method}`,
          "content-type": "application/grpc",
        });
        stream.end(enveloped(message));
        await waitUntil(() => running.waiting() === 1);
        leave(stream);
        await waitUntil(() => running.waiting() === 0);
        if (connection.session.destroyed) break;
      }
      await running.query.close();
      expect(running.lines).toEqual([]);
    },
  );

  it("cannot cause lines in the log or on standard error", async () => {
    await using running = await start();
    using connection = openHttp2(running.baseUrl);
    const text = JSON.stringify({ 'x\n{"level":"fatal","msg":"forged"}\n': 1 });
    for (const [method, contentType, body] of [
      ["GetAggregates", "application/json", text],
      ["WatchAggregates", "application/connect+json", enveloped(Buffer.from(text))],
      ["WatchAggregates", "application/grpc+json", enveloped(Buffer.from(text))],
      ["WatchAggregates", "application/grpc-web+json", enveloped(Buffer.from(text))],
    ] as const) {
      const stream = connection.open({ ":path": `${service}/${method}`, "content-type": contentType });
      stream.end(body);
      stream.close(NGHTTP2_INTERNAL_ERROR);
    }
    await running.query.close();
    expect(running.lines.filter((line) => line.trimEnd().includes("\n"))).toEqual([]);
  });
});
