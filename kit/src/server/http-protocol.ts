import type { Socket } from "node:net";

/** The first bytes of every HTTP/2 client (RFC 9113, 3.4), up to the point where they cannot be HTTP/1. */
const http2Preface = Buffer.from("PRI * HTTP/2.0\r\n");

export type HttpProtocol = "http1" | "http2";

/**
 * Waits for a new socket's first bytes and detects their protocol. The bytes are put back, and the socket is paused:
 * its next owner reads it from the start. Returns undefined if the socket ended, broke or was silent for `timeoutMs`
 * before; then it is destroyed.
 */
export function detectHttpProtocol(socket: Socket, timeoutMs: number): Promise<HttpProtocol | undefined> {
  return new Promise((resolve) => {
    let seen: Buffer = Buffer.alloc(0);
    const settle = (protocol: HttpProtocol | undefined): void => {
      clearTimeout(timer);
      socket.off("data", onData).off("error", onGone).off("close", onGone);
      if (protocol === undefined) {
        socket.destroy();
      } else {
        socket.pause();
        socket.unshift(seen);
      }
      resolve(protocol);
    };
    const onGone = (): void => settle(undefined);
    const onData = (chunk: Buffer): void => {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const protocol = protocolOf(seen);
      if (protocol !== undefined) {
        settle(protocol);
      }
    };
    // A separate timer instead of the socket's timeout, because single bytes must not keep it open.
    const timer = setTimeout(onGone, timeoutMs);
    socket.on("data", onData).on("error", onGone).on("close", onGone);
  });
}

/** Accepts new sockets of both protocols. */
export type ProtocolSockets = {
  /** Waits for the first bytes of a socket, and passes it on if it is still open then. */
  accept(socket: Socket): void;
  /** Destroys the sockets whose protocol is not known yet. */
  drain(): void;
};

/** Creates an acceptor that passes each socket to `serve` with its protocol; see `detectHttpProtocol`. */
export function createProtocolSockets(
  timeoutMs: number,
  serve: (socket: Socket, protocol: HttpProtocol) => void,
): ProtocolSockets {
  const undecided = new Set<Socket>();
  return {
    accept(socket) {
      undecided.add(socket);
      void detectHttpProtocol(socket, timeoutMs).then((protocol) => {
        undecided.delete(socket);
        if (protocol !== undefined && !socket.destroyed) serve(socket, protocol);
      });
    },
    drain() {
      for (const socket of undecided) socket.destroy();
    },
  };
}

/** Undefined while the bytes may still become either. */
export function protocolOf(firstBytes: Buffer): HttpProtocol | undefined {
  const length = Math.min(firstBytes.length, http2Preface.length);
  if (!firstBytes.subarray(0, length).equals(http2Preface.subarray(0, length))) {
    return "http1";
  }
  return length === http2Preface.length ? "http2" : undefined;
}
