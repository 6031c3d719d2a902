import type { Socket } from "node:net";
import { createSecureContext, createServer, type TLSSocket } from "node:tls";

/** What a client's certificate came to. Only of a verified one anything is told. */
export type TlsPeer =
  | { readonly kind: "none" }
  /** The certificate itself, in DER. */
  | { readonly kind: "verified"; readonly certificate: Buffer }
  /** Not signed by a CA that is trusted here, or out of its time; `reason` is OpenSSL's name for it. */
  | { readonly kind: "refused"; readonly reason: string };

/** Makes TLS of sockets, and remembers whose they are. */
export type TlsTermination = {
  /** Takes sockets and shakes hands; `onSecure` gets what is inside. A handshake may take 10 s. */
  terminate(onSecure: (secure: TLSSocket) => void): (socket: Socket) => void;
  /** Who is at the other end of an open connection, by its `address:port`; undefined if there is none. */
  peerOf(address: string): TlsPeer | undefined;
};

const handshakeTimeoutMs = 10_000;

/**
 * TLS 1.2 and later with this key and certificate chain (PEM). With `clientCa` (PEM) clients are asked for a
 * certificate. A connection without one, or with a wrong one, is open for `unverifiedMs` (5 s by default), so that
 * a response can say what is wrong; the server must ask `peerOf`. `onError` is called with handshakes that fail.
 * @throws if key, certificate or CA are not what they should be.
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
  /** In ALPN's names, the preferred one first. */
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
  // Here and not at the first socket: key and certificate are judged now.
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
      // Not if the address has come back since, on another connection.
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
  // Node gives the code as a string, whatever its types say.
  return { kind: "refused", reason: String(socket.authorizationError ?? "UNVERIFIED") };
}
