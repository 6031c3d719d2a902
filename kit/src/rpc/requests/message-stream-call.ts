import type { ServerHttp2Stream } from "node:http2";
import { type ServiceDefinition, type ServiceError, status } from "@grpc/grpc-js";
import { toGrpcServiceError } from "../grpc-js-status.ts";
import type { GrpcCallHeaders } from "../grpc-server.ts";
import type {
  GrpcConnection,
  MessageStream,
  MessageStreamCall,
  MessageStreamHandler,
  MessageStreamReceiver,
} from "../message-streams.ts";
import { invalidArgument, RpcError, resourceExhausted } from "../rpc-error.ts";
import {
  envelopeHeaderBytes,
  type IncompleteRequest,
  type UnfinishedRequests,
} from "./incomplete-requests.ts";
import { acceptedEncodings, decompressed } from "./message-compression.ts";
import { createPartialMessage, type PartialMessage } from "./partial-message.ts";
import { release, respondStatus } from "./rejected-streams.ts";
import { timeoutMsOf } from "./timeout-headers.ts";

/**
 * Serves client-streaming methods message by message on the streams of HTTP/2, in place of the calls of grpc-js. Of ten
 * thousand open calls, those would be half of the memory, and of the time of garbage collection.
 */
export function serveMessages(
  opened: MessageStream,
  serve: MessageStreamHandler,
  server: MessageServer,
): void {
  const { stream, headers, described } = opened;
  const call = new OpenCall(opened, server);
  (stream as CallStream)[callOf] = call;
  stream.on("close", onClose).on("wantTrailers", onWantTrailers);
  try {
    server.authorize?.(described);
    call.receiver = serve(call, described);
  } catch (error) {
    call.respond(toGrpcServiceError(error));
    return;
  }
  const timeout = headers["grpc-timeout"];
  if (timeout !== undefined) call.setDeadline(String(timeout));
  if (!call.isAnswered) stream.on("data", onData).on("end", onEnd);
}

type MessageServer = {
  readonly unfinished: UnfinishedRequests;
  /** Its calls whose bodies are not complete, from `unfinished`. */
  readonly incomplete: Set<IncompleteRequest>;
  readonly authorize?: ((call: GrpcCallHeaders) => void) | undefined;
  readonly messageBytesMax: number;
};

const callOf = Symbol("call");
type CallStream = ServerHttp2Stream & { [callOf]: OpenCall };

const noBytes: Buffer = Buffer.alloc(0);
/** A class, because ten thousand open calls share its functions. */
class OpenCall implements MessageStreamCall, IncompleteRequest {
  readonly peer: string;
  readonly isStream = true;
  readonly begunMs = performance.now();
  messageBegunMs = this.begunMs;
  buffered = 0;
  receiver: MessageStreamReceiver<unknown> | undefined;
  /** Nothing more is read. */
  isAnswered = false;
  private readonly stream: ServerHttp2Stream;
  private readonly method: ServiceDefinition[string];
  private readonly connection: GrpcConnection;
  private readonly counted: ((code: number) => void) | undefined;
  private readonly server: MessageServer;
  private readonly encoding: string | undefined;
  private deadline: NodeJS.Timeout | undefined;
  private hasFailed = false;
  /** A message is awaited, and the stream is paused. */
  private isWaiting = false;
  private hasEnded = false;
  private partial: PartialMessage | undefined;
  /** Received bytes after a message that is awaited. */
  private rest = noBytes;

  constructor({ stream, headers, method, connection, counted }: MessageStream, server: MessageServer) {
    this.peer = connection.peer;
    this.connection = connection;
    this.stream = stream;
    this.method = method;
    this.counted = counted;
    this.server = server;
    this.encoding = headers["grpc-encoding"] as string | undefined;
    server.incomplete.add(this);
  }

  respond(error: ServiceError | null, response?: unknown): void {
    if (!this.settle()) return;
    const stream = this.stream;
    if (error === null) {
      this.counted?.(status.OK);
      stream.respond(responseHeaders, withTrailers);
      stream.end(enveloped(this.method.responseSerialize(response)));
      return;
    }
    this.counted?.(error.code);
    respondStatus(stream, error);
    // A response without trailers has been sent by then.
    if (!stream.readableEnded) setImmediate(release, stream);
  }

  /** Ends the call with an error of which the handler learns as of a disconnected client. */
  reject(error: unknown): void {
    this.respond(toGrpcServiceError(error));
    this.cancel();
  }

  setDeadline(timeout: string): void {
    const ms = timeoutMsOf(timeout);
    if (ms === undefined) {
      this.reject(new RpcError({ code: "INTERNAL", message: `Invalid grpc-timeout value "${timeout}"` }));
      return;
    }
    this.deadline = setTimeout(() => {
      this.reject(new RpcError({ code: "DEADLINE_EXCEEDED", message: "Deadline exceeded" }));
    }, ms);
  }

  /** Reads the next bytes. */
  take(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.isAnswered && !this.hasFailed) {
      let message = this.partial === undefined ? messageAt(chunk, at) : undefined;
      if (message !== undefined) {
        at += message.length;
      } else {
        this.partial ??= createPartialMessage();
        at = this.partial.take(chunk, at);
        message = this.completed(this.partial);
      }
      const wait = message && this.pass(message);
      if (wait === undefined) continue;
      this.rest = chunk.subarray(at);
      this.isWaiting = true;
      this.stream.pause();
      wait.then(
        () => this.readOn(),
        (error) => this.fail(error),
      );
      return;
    }
  }

  /** The client has ended its stream; Node reports it also while the stream is paused. */
  ended(): void {
    this.hasEnded = true;
    if (this.isAnswered || this.hasFailed || this.isWaiting) return;
    if (this.partial !== undefined) {
      const description = "the stream ended within it";
      this.reject(invalidArgument({ field: "message", description, reason: "malformed" }));
    } else {
      this.endBody();
      this.receiver?.ended();
    }
  }

  /** The stream is closed. */
  over(): void {
    this.settle();
    this.counted?.(status.CANCELLED);
    this.cancel();
    this.connection.leave();
  }

  /** Returns whether the call can still be answered, and is not from here on. */
  private settle(): boolean {
    if (this.isAnswered) return false;
    this.isAnswered = true;
    clearTimeout(this.deadline);
    this.endBody();
    this.partial = undefined;
    this.rest = noBytes;
    const stream = this.stream;
    if (stream.destroyed || stream.closed) return false;
    // What the client still sends is dropped.
    stream.resume();
    return true;
  }

  private endBody(): void {
    this.server.incomplete.delete(this);
    if (this.buffered > 0) this.server.unfinished.holds(this, 0);
  }

  private cancel(): void {
    const { receiver } = this;
    this.receiver = undefined;
    receiver?.cancelled();
  }

  private completed(partial: PartialMessage): Buffer | undefined {
    const { unfinished, messageBytesMax } = this.server;
    unfinished.holds(this, partial.bytes);
    if (this.isAnswered) return undefined;
    if (partial.length > envelopeHeaderBytes + messageBytesMax) return this.tooLarge(partial.length);
    const message = partial.complete();
    if (message === undefined) return undefined;
    this.partial = undefined;
    unfinished.holds(this, 0);
    return message;
  }

  private tooLarge(length: number): undefined {
    const { messageBytesMax } = this.server;
    const subject = "message";
    const description = `Received message larger than max (${length - envelopeHeaderBytes} vs ${messageBytesMax})`;
    this.reject(resourceExhausted({ subject, description, message: description }));
  }

  /** Passes a message with its prefix to the handler. */
  private pass(enveloped: Buffer): Promise<void> | undefined {
    if (enveloped.length > envelopeHeaderBytes + this.server.messageBytesMax) {
      return this.tooLarge(enveloped.length);
    }
    const message = enveloped.subarray(envelopeHeaderBytes);
    try {
      if (enveloped[0] === 1) return this.passCompressed(message);
      return this.receiver?.received(this.method.requestDeserialize(message));
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  private async passCompressed(bytes: Buffer): Promise<void> {
    let message = bytes;
    try {
      message = await decompressed(bytes, this.encoding, this.server.messageBytesMax);
    } catch (error) {
      this.reject(error);
    }
    if (!this.isAnswered) await this.receiver?.received(this.method.requestDeserialize(message));
  }

  private readOn(): void {
    const rest = this.rest;
    this.rest = noBytes;
    this.isWaiting = false;
    this.take(rest);
    if (this.isWaiting) return;
    if (this.hasEnded) this.ended();
    else this.stream.resume();
  }

  private fail(error: unknown): void {
    if (this.isAnswered || this.hasFailed) return;
    this.hasFailed = true;
    this.endBody();
    this.receiver?.failed(error);
  }
}

// Listeners that all streams share.
function onData(this: ServerHttp2Stream, chunk: Buffer): void {
  (this as CallStream)[callOf].take(chunk);
}

function onEnd(this: ServerHttp2Stream): void {
  (this as CallStream)[callOf].ended();
}

function onClose(this: ServerHttp2Stream): void {
  (this as CallStream)[callOf].over();
}

function onWantTrailers(this: ServerHttp2Stream): void {
  this.sendTrailers(trailers);
  // Node sends them in the next iteration of the event loop, before this.
  if (!this.readableEnded) setImmediate(release, this);
}

const contentType = ["content-type", "application/grpc+proto"];
const responseHeaders = [":status", "200", ...contentType, "grpc-accept-encoding", acceptedEncodings];
const withTrailers = { waitForTrailers: true, sendDate: false };
const trailers = { "grpc-status": status.OK };

/** Returns the message, with its prefix, at a place of a chunk; undefined if it ends in a later chunk. */
function messageAt(chunk: Buffer, at: number): Buffer | undefined {
  const start = at + envelopeHeaderBytes;
  const end = start <= chunk.length ? start + chunk.readUInt32BE(at + 1) : Number.POSITIVE_INFINITY;
  return end <= chunk.length ? chunk.subarray(at, end) : undefined;
}

function enveloped(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(envelopeHeaderBytes + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, envelopeHeaderBytes);
  return bytes;
}
