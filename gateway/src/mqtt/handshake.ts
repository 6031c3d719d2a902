import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import type { Publisher } from "@devicemesh/identity";
import { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import type { IConnackPacket, IConnectPacket } from "./mqtt-packets.ts";
import { reasonCodes } from "./reason-codes.ts";
import type { MqttClient, SessionBroker } from "./session-broker.ts";

/** A connected client. */
export type Handshake = {
  /** Equal for connections that exclude each other: the sender with its client id. */
  readonly key: string;
  readonly sender: Publisher | undefined;
  /** Whether it may subscribe, and publish messages without readings to others. */
  readonly mayRead: boolean;
  /** Returns the reason why its identity is no longer valid, if there is one. */
  problem(): unknown;
  /** Expiry of its identity; 0 for never. */
  readonly keepaliveMs: number;
  /** Properties of CONNACK in version 5. */
  readonly properties: NonNullable<IConnackPacket["properties"]>;
};

type HandshakeResult =
  | { readonly kind: "accepted"; readonly handshake: Handshake }
  | { readonly kind: "refused"; readonly reasonCode: number; readonly text: string };

/**
 * Decides about a CONNECT. Sessions end with their connection: nothing is kept for a disconnected client. Never
 * rejects.
 */
export async function clientHandshake(
  packet: IConnectPacket,
  socket: Socket,
  { limits, identify }: Pick<SessionBroker, "limits" | "identify">,
): Promise<HandshakeResult> {
  const { protocolVersion = 4, clientId, clean = true, keepalive = 0, password, properties = {} } = packet;
  const isAssigned = clientId === "";
  if (isAssigned && !clean && protocolVersion !== 5) {
    const text = "a client without an id must ask for a clean session";
    return { kind: "refused", reasonCode: reasonCodes.clientIdInvalid, text };
  }
  if (properties.authenticationMethod !== undefined) {
    return {
      kind: "refused",
      reasonCode: reasonCodes.badCredentials,
      text: "authenticate with a token as password",
    };
  }
  let client: MqttClient = { mayRead: true };
  try {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    if (identify !== undefined) client = await identify({ peer, token: password?.toString("utf8") });
  } catch (error) {
    return refusalOf(error);
  }
  const { publisher, mayRead } = client;
  const id = isAssigned ? `gateway-${randomUUID()}` : clientId;
  return {
    kind: "accepted",
    handshake: {
      key: `${publisher?.uri ?? ""} ${id}`,
      sender: publisher,
      mayRead,
      problem: () => publisher?.problem(),
      keepaliveMs: keepalive * 1000,
      properties: {
        receiveMaximum: limits.inFlightMax,
        maximumPacketSize: limits.packetBytesMax,
        sharedSubscriptionAvailable: false,
        subscriptionIdentifiersAvailable: false,
        ...(properties.sessionExpiryInterval && { sessionExpiryInterval: 0 }),
        ...(isAssigned && { assignedClientIdentifier: id }),
      },
    },
  };
}

function refusalOf(error: unknown): HandshakeResult {
  if (!(error instanceof RpcError)) {
    return { kind: "refused", reasonCode: reasonCodes.unspecified, text: "internal error" };
  }
  const reasonCode =
    error.code === "PERMISSION_DENIED" ? reasonCodes.notAuthorized : reasonCodes.badCredentials;
  return { kind: "refused", reasonCode, text: error.message };
}
