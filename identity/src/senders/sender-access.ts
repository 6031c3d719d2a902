import type { TlsTermination } from "@devicemesh/kit/server/tls-termination";
import { unauthenticated } from "../access-error.ts";
import type { DenyList } from "../deny-list/deny-list.ts";
import { forwardedCertificateHeader } from "../devices/forwarded-certificate.ts";
import type { IdentifyPublisher } from "../devices/identify-publisher.ts";
import type { Publisher } from "../devices/publisher.ts";
import type { IdentifyUser } from "../users/user.ts";
import { createTokenSender } from "./token-sender.ts";

/** What is known of who sends over HTTP or MQTT. */
export type SenderCredentials = {
  /** `address:port` of the connection. */
  readonly peer: string;
  /** Headers of the request; a protocol without headers gives what it has as `authorization`. */
  readonly headers: Pick<Headers, "get">;
};

/** A sender that is known. */
export type IdentifiedSender = {
  readonly publisher: Publisher;
  /** Whether it may read, too: its token has the scope `devicemesh.read`. */
  readonly mayRead: boolean;
};

/**
 * Finds out who sends readings.
 * @throws RpcError UNAUTHENTICATED without a valid token or certificate, PERMISSION_DENIED if the token may not send.
 */
export type IdentifySender = (credentials: SenderCredentials) => Promise<IdentifiedSender>;

/**
 * A sender is who the certificate of its connection names, or else who its token speaks for. `ofCertificate` is for calls that
 * have one: on the connection, or in the header that Envoy forwards.
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
  /** Where connections end; undefined behind Envoy. */
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
