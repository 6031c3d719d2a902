import type { Publisher } from "@devicemesh/identity";
import type { ClientSession } from "./client-session.ts";
import type { StoredMessage, StoreMessage } from "./store-message.ts";
import type { Subscribers } from "./subscribers.ts";

/** Bounds of one connection. Times are in ms. */
export type SessionLimits = {
  /** Bytes of one packet. */
  readonly packetBytesMax: number;
  /** Messages of one connection that are not acknowledged; beyond, it is not read. */
  readonly inFlightMax: number;
  /** Bytes that wait for a subscriber; beyond, its messages are dropped. */
  readonly outgoingBytesMax: number;
  /** How long a client may take to say who it is. */
  readonly connectTimeoutMs: number;
};

/** Who a client is. */
export type MqttClient = {
  /** What it may send; everything where authentication is off. */
  readonly publisher?: Publisher | undefined;
  /** Whether it may subscribe. */
  readonly mayRead: boolean;
};

/**
 * Finds out who a client is by the password of its CONNECT (a token) or the certificate of its connection.
 * @throws RpcError UNAUTHENTICATED or PERMISSION_DENIED.
 */
export type IdentifyClient = (credentials: {
  /** `address:port` of the connection. */
  readonly peer: string;
  readonly token: string | undefined;
}) => Promise<MqttClient>;

/** What the sessions of a broker share. */
export type SessionBroker = {
  readonly limits: SessionLimits;
  readonly store: StoreMessage;
  readonly subscribers: Subscribers;
  /** Any client may do everything if left out. */
  readonly identify?: IdentifyClient | undefined;
  /** A client with that key is connected; another one of the same key is ended. */
  enter(key: string, session: ClientSession): void;
  leave(key: string, session: ClientSession): void;
  /** Told of what happens, for the metrics. */
  readonly counts: {
    message(stored: StoredMessage): void;
    dropped(): void;
    refusedConnection(): void;
    brokenConnection(): void;
  };
};
