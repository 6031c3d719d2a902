// The requests in progress of a server: which connections have open ones, and the bytes of those that are incomplete.
import { Code, ConnectError } from "@connectrpc/connect";
import type { OnePortRequest, OnePortResponse } from "../../server/one-port-server.ts";
import { toConnectError } from "../connect-status.ts";
import { RpcError, resourceExhausted } from "../rpc-error.ts";

/** Limits on requests that have begun and not ended. */
export type UnfinishedRequestLimits = {
  /** Bytes of incomplete messages of all requests. */
  readonly bytesMax: number;
  /** The share of one connection in them. */
  readonly connectionBytesMax: number;
  /** How long a message may take from its first byte to its last, in ms. */
  readonly messageTimeoutMs: number;
  /** How long a client may take to end a stream of messages, in ms. */
  readonly streamTimeoutMs: number;
};

/** The defaults: 64 full messages of 1 MiB, 16 of them on one connection. */
export const unfinishedRequestDefaults: UnfinishedRequestLimits = {
  bytesMax: 64 * 1024 * 1024,
  connectionBytesMax: 16 * 1024 * 1024,
  messageTimeoutMs: 30_000,
  // As long as Envoy lets a unit of readings take.
  streamTimeoutMs: 600_000,
};

/** A request as its headers describe it. */
export type UnfinishedRequest = {
  /** `address:port` of the client. */
  readonly peer: string;
  /** Whether the client sends any number of messages, or exactly one. */
  readonly isStream: boolean;
};

/** Counts the bytes of one request. */
export type RequestMeter = {
  /** The next bytes of its body. */
  received(chunk: Uint8Array): void;
  /** The body is complete, or no reader exists any more. Calling it again has no effect. */
  end(): void;
};

/** A request in progress; most of many wait for their first bytes, so it is small. */
export type IncompleteRequest = UnfinishedRequest & {
  /** When it began, by a monotonic clock, and when its incomplete message did. */
  readonly begunMs: number;
  messageBegunMs: number;
  /** Bytes of its incomplete message. */
  buffered: number;
  /** Called at most once, when the request is not counted any more; see UnfinishedRequests.open. */
  reject(error: RpcError): void;
};

/** The incomplete requests in the memory of all servers of a process. */
export type UnfinishedRequests = {
  /** Bytes of incomplete messages at this moment. */
  readonly bytes: number;
  /**
   * Returns a set for requests whose server follows their messages itself. A request is in it from its beginning until
   * its body is complete or no reader exists any more, and holds no bytes then.
   */
  openSet(): Set<IncompleteRequest>;
  /** Sets the bytes of the incomplete message of a request; called after every chunk that leaves one. */
  holds(request: IncompleteRequest, bytes: number): void;
  /**
   * Begins to count a request. `reject` is called at most once, with RESOURCE_EXHAUSTED if there are too many
   * bytes, or DEADLINE_EXCEEDED if the client is too slow; the request is not counted any more by then.
   */
  open(request: UnfinishedRequest, reject: (error: RpcError) => void): RequestMeter;
};

/** No requests yet. One process needs one: its limits are on the memory of the process. */
export function createUnfinishedRequests(
  settings: Partial<UnfinishedRequestLimits> = {},
  monotonicMs: () => number = () => performance.now(),
): UnfinishedRequests {
  const limits = { ...unfinishedRequestDefaults, ...settings };
  const bytesOfPeer = new Map<string, number>();
  const open = new Set<IncompleteRequest>();
  const sets = [open];
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;

  // One timer for all requests: a timer each would be set and cleared for every frame of every stream.
  function watch(): void {
    timer ??= setInterval(checkAll, Math.min(1000, limits.messageTimeoutMs / 4)).unref();
  }
  function count(peer: string, difference: number): void {
    bytes += difference;
    const ofPeer = (bytesOfPeer.get(peer) ?? 0) + difference;
    if (ofPeer === 0) bytesOfPeer.delete(peer);
    else bytesOfPeer.set(peer, ofPeer);
  }
  function end(request: IncompleteRequest): void {
    if (!sets.some((set) => set.delete(request))) return;
    count(request.peer, -request.buffered);
    request.buffered = 0;
    if (sets.length > 1 || open.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }
  function fail(request: IncompleteRequest, error: RpcError): void {
    end(request);
    request.reject(error);
  }
  function checkAll(): void {
    const nowMs = monotonicMs();
    for (const set of sets) for (const request of set) check(request, nowMs);
  }
  function check(request: IncompleteRequest, nowMs: number): void {
    const { isStream, buffered, begunMs, messageBegunMs } = request;
    if ((!isStream || buffered > 0) && nowMs - messageBegunMs > limits.messageTimeoutMs) {
      fail(request, tooSlow("a message", limits.messageTimeoutMs));
    } else if (nowMs - begunMs > limits.streamTimeoutMs) {
      fail(request, tooSlow("the stream", limits.streamTimeoutMs));
    }
  }
  function holds(request: IncompleteRequest, held: number): void {
    const { peer, isStream, buffered } = request;
    if (isStream && buffered === 0) request.messageBegunMs = monotonicMs();
    count(peer, held - buffered);
    request.buffered = held;
    if ((bytesOfPeer.get(peer) ?? 0) > limits.connectionBytesMax) {
      fail(request, tooMany("unfinished requests of one connection", limits.connectionBytesMax));
    } else if (bytes > limits.bytesMax) {
      fail(request, tooMany("unfinished requests", limits.bytesMax));
    }
  }

  return {
    get bytes() {
      return bytes;
    },
    openSet() {
      const set = new Set<IncompleteRequest>();
      sets.push(set);
      watch();
      return set;
    },
    holds,
    open({ peer, isStream }, reject) {
      const nowMs = monotonicMs();
      const request = { peer, isStream, reject, begunMs: nowMs, messageBegunMs: nowMs, buffered: 0 };
      const envelopes = isStream ? createEnvelopeProgress() : undefined;
      open.add(request);
      watch();
      return {
        received(chunk) {
          if (!open.has(request)) return;
          const unfinished = envelopes?.read(chunk) ?? request.buffered + chunk.length;
          // What is left began with this chunk at the latest.
          if (isStream && unfinished <= chunk.length) request.messageBegunMs = monotonicMs();
          holds(request, unfinished);
        },
        end: () => end(request),
      };
    },
  };
}

const retryDelayMs = 1000;

function tooMany(subject: string, bytesMax: number): RpcError {
  const description = `at most ${bytesMax} bytes of incomplete messages are kept in memory: try again`;
  return resourceExhausted({ subject, description, retryDelayMs });
}

function tooSlow(what: string, limitMs: number): RpcError {
  return new RpcError({
    code: "DEADLINE_EXCEEDED",
    message: `${what} was not complete ${limitMs} ms after it began`,
  });
}

/** Length of the prefix (flags and length) of each message of gRPC, gRPC-Web and Connect streams. */
export const envelopeHeaderBytes = 5;

/** Follows a body of enveloped messages without storing it. */
export type EnvelopeProgress = {
  /** Reads the next bytes; returns the number of bytes of a message that have arrived since the last complete one. */
  read(chunk: Uint8Array): number;
};

/** Creates one at the start of a body. */
export function createEnvelopeProgress(): EnvelopeProgress {
  let headerBytes = 0;
  let messageLength = 0;
  let messageBytes = 0;
  return {
    read(chunk) {
      let at = 0;
      while (at < chunk.length) {
        if (headerBytes < envelopeHeaderBytes) {
          // The first byte has the flags; four bytes of length follow, the highest first.
          if (headerBytes > 0) messageLength = messageLength * 256 + chunk[at]!;
          headerBytes++;
          at++;
        } else {
          const taken = Math.min(messageLength - messageBytes, chunk.length - at);
          messageBytes += taken;
          at += taken;
        }
        if (headerBytes === envelopeHeaderBytes && messageBytes === messageLength) {
          headerBytes = 0;
          messageLength = 0;
          messageBytes = 0;
        }
      }
      return headerBytes + messageBytes;
    },
  };
}

/**
 * Returns the body of a request, which counts as incomplete from here on until it is read to its end or `end` is
 * called. Reading it fails with a ConnectError: CANCELED if the client disconnected, or the rejection of `unfinished`.
 * Ending it early does not break the connection: the response may still be read.
 */
export function openRequestBody(
  request: OnePortRequest,
  { unfinished, facts }: { readonly unfinished: UnfinishedRequests; readonly facts: UnfinishedRequest },
): { readonly bytes: AsyncIterable<Uint8Array>; end(): void } {
  const rejected = Promise.withResolvers<never>();
  // It may be rejected while no reader exists.
  rejected.promise.catch(() => {});
  const meter = unfinished.open(facts, (error) => rejected.reject(toConnectError(error)));

  async function* read(): AsyncIterable<Uint8Array> {
    const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
    try {
      for (;;) {
        const { value, done } = await Promise.race([nextOf(chunks), rejected.promise]);
        if (done) return;
        meter.received(value);
        yield value;
      }
    } finally {
      meter.end();
      // Waits for a pending chunk; after it, the rest can be dropped.
      chunks.return?.().catch(() => {});
    }
  }
  return { bytes: read(), end: () => meter.end() };
}

async function nextOf(chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
  try {
    return await chunks.next();
  } catch (error) {
    throw new ConnectError(
      "the client disconnected before its request was complete",
      Code.Canceled,
      undefined,
      undefined,
      error,
    );
  }
}

/**
 * Drops data that a client still sends when its response is complete: on HTTP/2 the stream is reset without an error,
 * on HTTP/1.1 the bytes are dropped until the time limit of requests closes the connection.
 */
export function releaseWhenAnswered(request: OnePortRequest, response: OnePortResponse): void {
  if (!("stream" in request)) {
    response.once("finish", () => request.resume());
    return;
  }
  const { stream } = request;
  const release = (): void => {
    if (!stream.closed && !request.complete) stream.close();
  };
  // A listener before this one sends the trailers; one iteration of the event loop later they are sent.
  stream.once("wantTrailers", () => setImmediate(release));
}
