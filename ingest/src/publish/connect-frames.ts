import type { DescMessage, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { fromConnectError } from "@devicemesh/kit/rpc/connect-status";
import { frameBytes } from "./frame-messages.ts";
import { malformedFrame } from "./publish-readings.ts";

/** The frames of a Connect stream, and a function that ends them. */
export type ConnectFrames = {
  /** Fails with an RpcError, like the handlers of gRPC. */
  readonly frames: AsyncIterable<Buffer>;
  /** Ends the frames at once, also while one is awaited. */
  stop(): void;
};

/** Reads the messages of a stream as frames. */
export function framesOfMessages(schema: DescMessage, messages: AsyncIterable<Message>): ConnectFrames {
  const stopped = Promise.withResolvers<undefined>();
  async function* read(): AsyncIterable<Buffer> {
    const source = messages[Symbol.asyncIterator]();
    for (let index = 0; ; index++) {
      const next = await Promise.race([source.next(), stopped.promise]).catch((error: unknown) => {
        throw frameError(error, index);
      });
      if (next === undefined || next.done) return;
      yield frameBytes(schema, next.value);
    }
  }
  return { frames: read(), stop: () => stopped.resolve(undefined) };
}

function frameError(error: unknown, index: number): unknown {
  // Connect reports bytes that are not a message in this way.
  const isMalformed =
    error instanceof ConnectError &&
    error.code === Code.Internal &&
    error.rawMessage.startsWith(malformedPrefix);
  return isMalformed
    ? malformedFrame(index, error.rawMessage.slice(malformedPrefix.length))
    : fromConnectError(error);
}

const malformedPrefix = "parse binary: ";
