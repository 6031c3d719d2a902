import type { TlsTermination } from "@devicemesh/kit/server/tls-termination";
import { unauthenticated } from "../access-error.ts";
import type { DenyList } from "../deny-list/deny-list.ts";
import { forwardedCertificateHeader } from "../devices/forwarded-certificate.ts";
import type { IdentifyPublisher } from "../devices/identify-publisher.ts";
import type { Publisher } from "../devices/publisher.ts";
import type { IdentifyUser } from "../users/user.ts";
import { createTokenSender } from "./token-sender.ts";

/** The known properties of a sender over HTTP or MQTT. */
export type SenderCredentials = {
  /** `address:port` of the connection. */
  readonly peer: string;
  /** Headers of the request; a protocol without headers passes its credentials as `authorization`. */
  readonly headers: Pick<Headers, "get">;
};

/** An authenticated sender. */
export type IdentifiedSender = {
  readonly publisher: Publisher;
  /** Whether it may also read: its token has the scope `devicemesh.read`. */
  readonly mayRead: boolean;
};

/**
 * Identifies the sender of readings.
 * @throws RpcError UNAUTHENTICATED without a valid token or certificate, PERMISSION_DENIED if the token may not send.
 */
export type IdentifySender = (credentials: SenderCredentials) => Promise<IdentifiedSender>;

/**
 * Creates the identification of senders: by the certificate of the connection, or else by the token. `ofCertificate` is
 * for calls that have a certificate: on the connection, or in the header that Envoy forwards.
 */
export function createSenderIdentification({
  ofToken,
  ofCertificate,
  tls,
  denyList,
  clock,
}: {
  readonly ofToken: IdentifyUser | undefined;
  readonly ofCertificate: IdentifyPublisher | undefined;
  /** The termination of TLS; undefined behind Envoy. */
  readonly tls: Pick<TlsTermination, "peerOf"> | undefined;
  readonly denyList: DenyList;
  /** Ms since 1970. */
  readonly clock: () => number;
}): IdentifySender {
  return async ({ peer, headers }) => {
    const forwarded = headers.get(forwardedCertificateHeader);
    const kind = tls === undefined ? undefined : tls.peerOf(peer)?.kind;
    const hasCertificate =
      tls === undefined ? forwarded !== null && forwarded !== "" : kind === "verified" || kind === "refused";
    if (ofCertificate !== undefined && hasCertificate) {
      const metadata = { get: (name: string) => (headers.get(name) === null ? [] : [headers.get(name)!]) };
      return { publisher: ofCertificate({ getPeer: () => peer, metadata }), mayRead: false };
    }
    if (ofToken === undefined) {
      throw unauthenticated({
        reason: "CERTIFICATE_MISSING",
        message:
          "there is no client certificate; connect with TLS and the certificate of the device or gateway",
      });
    }
    const user = await ofToken(headers);
    return {
      publisher: createTokenSender(user, { denyList, clock }),
      mayRead: user.scopes.has("devicemesh.read"),
    };
  };
}
