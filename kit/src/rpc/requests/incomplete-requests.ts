import { RpcError } from "../rpc-error.ts";
import { createEnvelopeProgress } from "./envelope-progress.ts";

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

/** What all servers of a process hold of requests that are incomplete. */
export type UnfinishedRequests = {
  /** Bytes of incomplete messages at this moment. */
  readonly bytes: number;
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
  const checks = new Set<(nowMs: number) => void>();
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;

  // One timer for all requests: a timer each would be set and cleared for every frame of every stream.
  function watch(check: (nowMs: number) => void): void {
    checks.add(check);
    timer ??= setInterval(
      () => {
        const nowMs = monotonicMs();
        for (const each of checks) each(nowMs);
      },
      Math.min(1000, limits.messageTimeoutMs / 4),
    ).unref();
  }
  function unwatch(check: (nowMs: number) => void): void {
    checks.delete(check);
    if (checks.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }
  function hold(peer: string, difference: number): void {
    bytes += difference;
    const ofPeer = (bytesOfPeer.get(peer) ?? 0) + difference;
    if (ofPeer === 0) bytesOfPeer.delete(peer);
    else bytesOfPeer.set(peer, ofPeer);
  }

  return {
    get bytes() {
      return bytes;
    },
    open({ peer, isStream }, reject) {
      const envelopes = createEnvelopeProgress();
      const begunMs = monotonicMs();
      let messageBegunMs = begunMs;
      let held = 0;
      let isOpen = true;

      function end(): void {
        if (!isOpen) return;
        isOpen = false;
        unwatch(check);
        hold(peer, -held);
      }
      function fail(error: RpcError): void {
        end();
        reject(error);
      }
      function check(nowMs: number): void {
        const isMessageOpen = !isStream || held > 0;
        if (isMessageOpen && nowMs - messageBegunMs > limits.messageTimeoutMs) {
          fail(tooSlow("a message", limits.messageTimeoutMs));
        } else if (nowMs - begunMs > limits.streamTimeoutMs) {
          fail(tooSlow("the stream", limits.streamTimeoutMs));
        }
      }
      watch(check);
      return {
        received(chunk) {
          if (!isOpen) return;
          const unfinished = isStream ? envelopes.read(chunk) : held + chunk.length;
          // What is left began with this chunk at the latest.
          if (isStream && unfinished <= chunk.length) messageBegunMs = monotonicMs();
          hold(peer, unfinished - held);
          held = unfinished;
          if ((bytesOfPeer.get(peer) ?? 0) > limits.connectionBytesMax) {
            fail(tooMany("unfinished requests of one connection", limits.connectionBytesMax));
          } else if (bytes > limits.bytesMax) {
            fail(tooMany("unfinished requests", limits.bytesMax));
          }
        },
        end,
      };
    },
  };
}

const retryDelayMs = 1000;

function tooMany(subject: string, bytesMax: number): RpcError {
  const description = `at most ${bytesMax} bytes of incomplete messages are held: try again`;
  return new RpcError({
    code: "RESOURCE_EXHAUSTED",
    message: `${subject}: ${description}`,
    details: [
      { kind: "quotaFailure", violations: [{ subject, description }] },
      { kind: "retryInfo", retryDelayMs },
    ],
  });
}

function tooSlow(what: string, limitMs: number): RpcError {
  return new RpcError({
    code: "DEADLINE_EXCEEDED",
    message: `${what} was not complete ${limitMs} ms after it began`,
  });
}
