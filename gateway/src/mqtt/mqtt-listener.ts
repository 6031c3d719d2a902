import { type ConnectionLimits, connectionDefaults } from "@devicemesh/kit/server/connection-limits";
import { createRunningServer, type RunningServer } from "@devicemesh/kit/server/running-server";
import { startSocketServer } from "@devicemesh/kit/server/socket-server";
import type { TlsTermination } from "@devicemesh/kit/server/tls-termination";
import { type ClientSession, serveClient } from "./client-session.ts";
import { createIncompletePackets, type IncompletePacketLimits } from "./incomplete-packets.ts";
import { reasonCodes } from "./reason-codes.ts";
import type { IdentifyClient, SessionBroker, SessionLimits } from "./session-broker.ts";
import type { StoreMessage } from "./store-message.ts";
import { createSubscribers, type SubscriberLimits } from "./subscribers.ts";

/** The counts of the listener. */
export type MqttCounts = {
  readonly connections: number;
  readonly refusedConnections: number;
  readonly brokenConnections: number;
  /** Messages whose readings are all stored. */
  readonly stored: number;
  /** Messages with a reading that broke a rule. */
  readonly rejected: number;
  /** Messages without readings. */
  readonly other: number;
  /** Messages that a slow subscriber did not receive. */
  readonly dropped: number;
};

/** The broker, listening. */
export type MqttListener = RunningServer & { counts(): MqttCounts };

/** The bounds of the broker. */
export type MqttLimits = SessionLimits &
  IncompletePacketLimits &
  SubscriberLimits & {
    readonly connections: ConnectionLimits;
    /** Time limit for storing received messages when the broker closes, in ms. */
    readonly shutdownGraceMs: number;
  };

/** The defaults. */
export const mqttLimits: MqttLimits = {
  // Device lists that bridges retain have a few hundred KiB.
  packetBytesMax: 1024 * 1024,
  connectBytesMax: 64 * 1024,
  incompleteBytesMax: 64 * 1024 * 1024,
  packetTimeoutMs: 30_000,
  inFlightMax: 100,
  outgoingBytesMax: 1024 * 1024,
  connectTimeoutMs: 10_000,
  subscriptionsMax: 100,
  allSubscriptionsMax: 10_000,
  retainedBytesMax: 32 * 1024 * 1024,
  connections: connectionDefaults,
  shutdownGraceMs: 500,
};

/**
 * Starts an MQTT broker (3.1, 3.1.1 and 5) that stores messages as readings: QoS 1 and 2 are acknowledged only after
 * that. It forwards messages to subscribers with QoS 0 and keeps retained ones in memory.
 * @throws PortInUseError if the port is in use.
 */
export async function startMqttListener({
  host,
  port,
  tls,
  store,
  identify,
  limits = mqttLimits,
  onError = () => {},
}: {
  readonly host: string;
  readonly port: number;
  /** Cleartext if left out. */
  readonly tls?: TlsTermination | undefined;
  readonly store: StoreMessage;
  readonly identify?: IdentifyClient | undefined;
  readonly limits?: MqttLimits;
  onError?(error: unknown): void;
}): Promise<MqttListener> {
  const sessions = new Map<string, ClientSession>();
  const byPeer = new Map<string, ClientSession>();
  const counts = {
    refusedConnections: 0,
    brokenConnections: 0,
    stored: 0,
    rejected: 0,
    other: 0,
    dropped: 0,
  };
  const broker: SessionBroker = {
    limits,
    store,
    identify,
    subscribers: createSubscribers(limits),
    incomplete: createIncompletePackets(limits),
    enter(key, session) {
      sessions.get(key)?.end(reasonCodes.takenOver);
      sessions.set(key, session);
    },
    leave(key, session) {
      if (sessions.get(key) === session) sessions.delete(key);
    },
    counts: {
      message(stored) {
        if (stored.kind === "rejected") counts.rejected += 1;
        else if (stored.kind === "stored") counts[stored.readings > 0 ? "stored" : "other"] += 1;
      },
      dropped: () => {
        counts.dropped += 1;
      },
      refusedConnection: () => {
        counts.refusedConnections += 1;
      },
      brokenConnection: () => {
        counts.brokenConnections += 1;
      },
    },
  };
  const accept: Parameters<typeof startSocketServer>[0]["accept"] = (socket) => {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    const session = serveClient(socket, broker);
    byPeer.set(peer, session);
    socket.on("error", onError);
    socket.once("close", () => {
      if (byPeer.get(peer) === session) byPeer.delete(peer);
    });
  };
  const server = await startSocketServer({
    host,
    port,
    limits: limits.connections,
    isBusy: (peer) => byPeer.get(peer)?.isConnected() ?? false,
    shutdownGraceMs: limits.shutdownGraceMs,
    accept: tls?.terminate(accept) ?? accept,
    drain() {
      for (const session of byPeer.values()) void session.drain();
    },
    onError,
  });
  return {
    ...createRunningServer(server.port, () => server.close()),
    counts: () => ({ ...counts, connections: byPeer.size }),
  };
}
