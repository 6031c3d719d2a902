import type { Socket } from "node:net";
import { createSecureContext, createServer, type TLSSocket } from "node:tls";

/** The result of checking a client's certificate. Only a verified one has details. */
export type TlsPeer =
  | { readonly kind: "none" }
  /** The certificate itself, in DER. */
  | { readonly kind: "verified"; readonly certificate: Buffer }
  /** Not signed by a trusted CA, or expired; `reason` is OpenSSL's name for it. */
  | { readonly kind: "refused"; readonly reason: string };

/** Terminates TLS, and remembers the peers of sockets. */
export type TlsTermination = {
  /** Takes sockets and performs the handshake; `onSecure` receives the decrypted socket. A handshake may take 10 s. */
  terminate(onSecure: (secure: TLSSocket) => void): (socket: Socket) => void;
  /** Returns the peer of an open connection, by its `address:port`; undefined if there is none. */
  peerOf(address: string): TlsPeer | undefined;
};

const handshakeTimeoutMs = 10_000;

/**
 * Creates TLS 1.2 and later with this key and certificate chain (PEM). With `clientCa` (PEM) clients are asked for a
 * certificate. A connection without one, or with an invalid one, stays open for `unverifiedMs` (5 s by default), so
 * that a response can name the problem; the server must check `peerOf`. `onError` is called for failed handshakes.
 * @throws if key, certificate or CA are not valid.
 */
export function createTlsTermination({
  key,
  certificate,
  clientCa,
  protocols,
  unverifiedMs = 5000,
  isCertificateOptional = false,
  onError = () => {},
}: {
  readonly key: string;
  readonly certificate: string;
  readonly clientCa?: string | undefined;
  /** The ALPN names, in order of preference. */
  readonly protocols: readonly string[];
  readonly unverifiedMs?: number;
  /** Whether clients may stay without a certificate. */
  readonly isCertificateOptional?: boolean;
  readonly onError?: (error: unknown) => void;
}): TlsTermination {
  const peers = new Map<string, TlsPeer>();
  const options = {
    key,
    cert: certificate,
    ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false }),
    ALPNProtocols: [...protocols],
    minVersion: "TLSv1.2",
    handshakeTimeout: handshakeTimeoutMs,
  } as const;
  // Here and not at the first socket, to check key and certificate now.
  const secureContext = createSecureContext(options);

  function remember(socket: TLSSocket): void {
    const address = `${socket.remoteAddress}:${socket.remotePort}`;
    const peer = peerOfSocket(socket);
    peers.set(address, peer);
    const timer =
      clientCa === undefined || peer.kind === "verified" || isCertificateOptional
        ? undefined
        : setTimeout(() => socket.destroy(), unverifiedMs).unref();
    socket.once("close", () => {
      clearTimeout(timer);
      // Not if another connection has used the address since.
      if (peers.get(address) === peer) peers.delete(address);
    });
  }
  return {
    terminate(onSecure) {
      const server = createServer({ ...options, secureContext });
      server.on("tlsClientError", onError);
      server.on("secureConnection", (socket) => {
        socket.on("error", onError);
        remember(socket);
        onSecure(socket);
      });
      return (socket) => {
        server.emit("connection", socket);
      };
    },
    peerOf: (address) => peers.get(address),
  };
}

function peerOfSocket(socket: TLSSocket): TlsPeer {
  const { raw } = socket.getPeerCertificate();
  if (raw === undefined) return { kind: "none" };
  if (socket.authorized) return { kind: "verified", certificate: raw };
  // Node returns the code as a string, unlike its types.
  return { kind: "refused", reason: String(socket.authorizationError ?? "UNVERIFIED") };
}
