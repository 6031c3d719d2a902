import type { Publisher } from "@devicemesh/identity";
import type { ClientSession } from "./client-session.ts";
import type { IncompletePackets } from "./incomplete-packets.ts";
import type { StoredMessage, StoreMessage } from "./store-message.ts";
import type { Subscribers } from "./subscribers.ts";

/** Bounds of one connection. Times are in ms. */
export type SessionLimits = {
  /** Bytes of one packet. */
  readonly packetBytesMax: number;
  /** Bytes of CONNECT, which an unknown client sends. */
  readonly connectBytesMax: number;
  /** Maximum number of unacknowledged messages of one connection; beyond it, the broker stops reading from it. */
  readonly inFlightMax: number;
  /** Bytes queued for a subscriber; beyond it, its messages are dropped. */
  readonly outgoingBytesMax: number;
  /** Time limit for a client to send CONNECT. */
  readonly connectTimeoutMs: number;
};

/** The identity and rights of a client. */
export type MqttClient = {
  /** The devices that it may send for; all if authentication is off. */
  readonly publisher?: Publisher | undefined;
  /** Whether it may subscribe. */
  readonly mayRead: boolean;
};

/**
 * Authenticates a client by the password of its CONNECT (a token) or the certificate of its connection.
 * @throws RpcError UNAUTHENTICATED or PERMISSION_DENIED.
 */
export type IdentifyClient = (credentials: {
  /** `address:port` of the connection. */
  readonly peer: string;
  readonly token: string | undefined;
}) => Promise<MqttClient>;

/** The state that the sessions of a broker share. */
export type SessionBroker = {
  readonly limits: SessionLimits;
  readonly store: StoreMessage;
  readonly subscribers: Subscribers;
  readonly incomplete: IncompletePackets;
  /** Any client may do everything if left out. */
  readonly identify?: IdentifyClient | undefined;
  /** Registers the client with that key; ends another one with the same key. */
  enter(key: string, session: ClientSession): void;
  leave(key: string, session: ClientSession): void;
  /** Receives events, for the metrics. */
  readonly counts: {
    message(stored: StoredMessage): void;
    dropped(): void;
    refusedConnection(): void;
    brokenConnection(): void;
  };
};
