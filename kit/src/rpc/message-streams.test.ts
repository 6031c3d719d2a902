import { setImmediate as nextIteration } from "node:timers/promises";
import { deflateSync, gzipSync } from "node:zlib";
import { type ServiceDefinition, status } from "@grpc/grpc-js";
import fc from "fast-check";
import { expect, it } from "vitest";
import { answerOf, enveloped, openHttp2 } from "../../testing/http2-fixture.ts";
import { startTestMetrics } from "../../testing/metrics-scrape.ts";
import { waitUntil } from "../../testing/test-helpers.ts";
import type { Metrics } from "../observability/metrics.ts";
import { toGrpcServiceError } from "./grpc-js-status.ts";
import { startGrpcServer } from "./grpc-server.ts";
import { type MessageStreamHandler, servedByMessages } from "./message-streams.ts";
import { invalidArgument } from "./rpc-error.ts";

const path = "/test.v1.TestService/Collect";
const bytes = (message: Buffer) => message;
const definition: ServiceDefinition = {
  collect: {
    path,
    requestStream: true,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
};

/** A server of one method, which records the events of its calls, with an open stream to it. */
async function openCollecting(
  received: (message: Buffer) => Promise<void> | undefined,
  { headers = {}, metrics }: { headers?: Record<string, string>; metrics?: Metrics } = {},
) {
  const events: string[] = [];
  const handler: MessageStreamHandler<Buffer> = (call) => ({
    received(message) {
      events.push(message.toString());
      return received(message);
    },
    ended() {
      events.push("ended");
      call.respond(null, Buffer.from("done"));
    },
    failed(error) {
      events.push("failed");
      call.respond(toGrpcServiceError(error));
    },
    cancelled: () => events.push("cancelled"),
  });
  const server = await startGrpcServer({
    host: "127.0.0.1",
    port: 0,
    shutdownGraceMs: 100,
    addServices: (target) => target.addService(definition, { collect: servedByMessages }),
    messageStreams: new Map([[path, handler as MessageStreamHandler]]),
    metrics,
  });
  const connection = openHttp2(`http://127.0.0.1:${server.port}`);
  return {
    events,
    stream: connection.open({ ":path": path, "content-type": "application/grpc", ...headers }),
    async [Symbol.asyncDispose]() {
      connection[Symbol.dispose]();
      await server.close();
    },
  };
}

const message = (text: string) => enveloped(Buffer.from(text));

it("passes each message when the one before is done, then the end, and sends the response", async () => {
  const first = Promise.withResolvers<void>();
  await using test = await openCollecting((text) => (text.toString() === "a" ? first.promise : undefined));
  test.stream.end(Buffer.concat(["a", "b", "c"].map(message)));
  await waitUntil(() => test.events.length > 0);
  await nextIteration();
  expect(test.events).toEqual(["a"]);
  first.resolve();
  const { trailers, body } = await answerOf(test.stream);
  expect(trailers["grpc-status"]).toBe("0");
  expect(body).toEqual(message("done"));
  await waitUntil(() => test.events.length > 4);
  expect(test.events).toEqual(["a", "b", "c", "ended", "cancelled"]);
});

it("passes thousands of messages that have arrived while one was awaited", async () => {
  await using test = await openCollecting((text) => (text.length > 0 ? nextIteration() : undefined));
  const empty = message("");
  const count = 3000;
  test.stream.end(Buffer.concat([message("first"), ...Array.from({ length: count }, () => empty)]));
  expect((await answerOf(test.stream)).trailers["grpc-status"]).toBe("0");
  expect(test.events.slice(0, count + 2)).toEqual(["first", ...Array(count).fill(""), "ended"]);
});

it.each([
  [
    "throws",
    (error: Error) => {
      throw error;
    },
  ],
  ["rejects", (error: Error) => Promise.reject(error)],
])("ends the call if the handler of a message %s, and passes nothing after it", async (_, fail) => {
  const error = invalidArgument({ field: "b", description: "is wrong", reason: "wrong" });
  await using test = await openCollecting((text) => (text.toString() === "b" ? fail(error) : undefined));
  test.stream.write(Buffer.concat(["a", "b", "c"].map(message)));
  const { headers } = await answerOf(test.stream);
  expect(Number(headers["grpc-status"])).toBe(status.INVALID_ARGUMENT);
  await waitUntil(() => test.stream.closed && test.events.includes("cancelled"));
  expect(test.events).toEqual(["a", "b", "failed", "cancelled"]);
});

it("reports a client that leaves, whether a message was awaited or its handler", async () => {
  for (const sent of ["", "a"]) {
    await using test = await openCollecting(() => new Promise(() => {}));
    await new Promise((resolve) => test.stream.once("ready", resolve));
    if (sent) {
      test.stream.write(message(sent));
      await waitUntil(() => test.events.length === 1);
    }
    test.stream.close();
    if (sent) await waitUntil(() => test.events.length === 2);
    expect(test.events).toEqual(sent ? ["a", "cancelled"] : []);
  }
});

it("passes the same messages however their bytes are cut", async () => {
  const texts = fc.array(fc.string({ maxLength: 300 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(
      texts,
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      async (sent, cuts) => {
        await using test = await openCollecting(() => undefined);
        const body = Buffer.concat(sent.map(message));
        for (let at = 0, cut = 0; at < body.length; cut++) {
          const end = Math.min(at + cuts[cut % cuts.length]!, body.length);
          await new Promise((resolve) => test.stream.write(body.subarray(at, end), resolve));
          at = end;
        }
        test.stream.end();
        expect((await answerOf(test.stream)).trailers["grpc-status"]).toBe("0");
        expect(test.events.slice(0, sent.length + 1)).toEqual([...sent, "ended"]);
      },
    ),
    { numRuns: 20 },
  );
});

it.each([
  ["gzip", gzipSync],
  ["deflate", deflateSync],
])("passes compressed messages between others, in order: %s", async (encoding, compress) => {
  await using test = await openCollecting(() => undefined, { headers: { "grpc-encoding": encoding } });
  const compressed = message("").fill(1, 0, 1);
  const packed = compress("b");
  compressed.writeUInt32BE(packed.length, 1);
  test.stream.end(Buffer.concat([message("a"), compressed, packed, message("c")]));
  expect((await answerOf(test.stream)).trailers["grpc-status"]).toBe("0");
  expect(test.events.slice(0, 4)).toEqual(["a", "b", "c", "ended"]);
});

it.each([
  ["of an unknown encoding", "br", gzipSync("a"), status.UNIMPLEMENTED],
  ["that is not compressed as stated", "gzip", Buffer.from("a"), status.INTERNAL],
  ["that is too large", "gzip", gzipSync(Buffer.alloc(2 ** 20 + 1)), status.RESOURCE_EXHAUSTED],
])("ends the call at a message %s", async (_, encoding, packed, code) => {
  await using test = await openCollecting(() => undefined, { headers: { "grpc-encoding": encoding } });
  test.stream.write(enveloped(packed).fill(1, 0, 1));
  expect(Number((await answerOf(test.stream)).headers["grpc-status"])).toBe(code);
  await waitUntil(() => test.events.length > 0);
  expect(test.events).toEqual(["cancelled"]);
});

it("ends the call if the stream ends within a message", async () => {
  await using test = await openCollecting(() => undefined);
  test.stream.end(Buffer.concat([message("a"), message("bc").subarray(0, -1)]));
  expect(Number((await answerOf(test.stream)).headers["grpc-status"])).toBe(status.INVALID_ARGUMENT);
  await waitUntil(() => test.events.length > 1);
  expect(test.events).toEqual(["a", "cancelled"]);
});

it.each([
  ["10m", status.DEADLINE_EXCEEDED],
  ["soon", status.INTERNAL],
])("ends the call at its deadline, or at once if that is malformed: %s", async (timeout, code) => {
  await using reported = await startTestMetrics();
  const { metrics } = reported;
  await using test = await openCollecting(() => undefined, { headers: { "grpc-timeout": timeout }, metrics });
  expect(Number((await answerOf(test.stream)).headers["grpc-status"])).toBe(code);
  await waitUntil(() => test.events.length > 0 && test.stream.closed);
  expect(test.events).toEqual(["cancelled"]);
  const ends = (await reported.scrape()).by("grpc_server_handled_total", "grpc_code");
  expect(Object.values(ends).reduce((sum, one) => sum + one, 0)).toBe(1);
});
