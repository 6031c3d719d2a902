import { setImmediate as nextIteration } from "node:timers/promises";
import { type ServiceDefinition, status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { answerOf, enveloped, openHttp2 } from "../../testing/http2-fixture.ts";
import { waitUntil } from "../../testing/test-helpers.ts";
import { toGrpcServiceError } from "./grpc-js-status.ts";
import { startGrpcServer } from "./grpc-server.ts";
import { type MessageStreamHandler, respondTo, servedByMessages } from "./grpc-streams.ts";
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
async function openCollecting(received: (message: Buffer) => Promise<void> | undefined) {
  const events: string[] = [];
  const handler: MessageStreamHandler<Buffer> = (call) => ({
    received(message) {
      events.push(message.toString());
      return received(message);
    },
    ended() {
      events.push("ended");
      respondTo(call, null, Buffer.from("done"));
    },
    failed(error) {
      events.push("failed");
      respondTo(call, toGrpcServiceError(error));
    },
    cancelled: () => events.push("cancelled"),
  });
  const server = await startGrpcServer({
    host: "127.0.0.1",
    port: 0,
    shutdownGraceMs: 100,
    addServices: (target) => target.addService(definition, { collect: servedByMessages }),
    messageStreams: new Map([[path, handler as MessageStreamHandler]]),
  });
  const connection = openHttp2(`http://127.0.0.1:${server.port}`);
  return {
    events,
    stream: connection.open({ ":path": path, "content-type": "application/grpc" }),
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
  // By then, grpc-js has decoded all of them.
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
