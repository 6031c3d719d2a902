import { systemClock, wait } from "@devicemesh/client";
import { type Backoff, backoffDelayMs } from "@devicemesh/kit/lifetime/backoff";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { type BridgeTarget, openBrokerConnection } from "./broker-connection.ts";
import {
  createPacketReader,
  encodePacket,
  type IPublishPacket,
  type MqttVersion,
  type Packet,
} from "./mqtt-packets.ts";
import { createOrderedAnswers } from "./ordered-answers.ts";
import { reasonCodes } from "./reason-codes.ts";
import type { StoredMessage, StoreMessage } from "./store-message.ts";

/** A bridge from an existing broker. */
export type MqttBridge = AsyncDisposable & {
  /** Whether it is connected and subscribed. */
  isConnected(): boolean;
  /** Number of messages so far, by outcome. */
  counts(): { readonly stored: number; readonly rejected: number; readonly other: number };
  /**
   * Receives no more messages, acknowledges stored ones within the grace period, and ends. Closing again has no effect.
   */
  close(): Promise<void>;
};

/** The bridge's bounds. Times are in ms. */
export type BridgeLimits = {
  /** Maximum number of unacknowledged messages; beyond it, the bridge stops reading from the broker. */
  readonly inFlightMax: number;
  readonly packetBytesMax: number;
  readonly keepaliveMs: number;
  /** How long the broker keeps messages for a disconnected bridge. */
  readonly sessionExpiryMs: number;
  /** Time limit for the broker to accept the connection and the subscription. */
  readonly connectTimeoutMs: number;
  readonly shutdownGraceMs: number;
  readonly backoff: Backoff;
};

export const bridgeLimits: BridgeLimits = {
  inFlightMax: 1000,
  packetBytesMax: 16 * 1024 * 1024,
  keepaliveMs: 30_000,
  sessionExpiryMs: 7 * 86_400_000,
  connectTimeoutMs: 10_000,
  shutdownGraceMs: 500,
  backoff: { firstMs: 200, longestMs: 10_000 },
};

/** The result of a connection to the broker. */
export type BridgeEvent =
  | { readonly kind: "connected"; readonly version: MqttVersion; readonly isShared: boolean }
  | { readonly kind: "failed"; readonly reason: string };

/**
 * Subscribes to an existing broker with QoS 1, a persistent session and a shared subscription, so that several bridges
 * of one group divide the messages. A message is acknowledged only after its readings are durably stored; until then
 * the broker keeps it. Retained messages that the broker sends for a new subscription are acknowledged and not stored.
 * Version 5 is tried first, then 3.1.1; if the broker does not support shared subscriptions, the bridge subscribes
 * alone. It reconnects until it is closed.
 */
export function startMqttBridge({
  target,
  store,
  limits = bridgeLimits,
  random = Math.random,
  onEvent = () => {},
}: {
  readonly target: BridgeTarget;
  readonly store: StoreMessage;
  readonly limits?: BridgeLimits;
  readonly random?: () => number;
  onEvent?(event: BridgeEvent): void;
}): MqttBridge {
  const counts = { stored: 0, rejected: 0, other: 0 };
  const ending = new AbortController();
  let version: MqttVersion = 5;
  let isShared = true;
  let isConnected = false;
  let current: { drain(): Promise<void>; cut(): void } | undefined;

  async function run(): Promise<void> {
    for (let attempt = 0; !ending.signal.aborted; attempt++) {
      const outcome = await serve().catch((error: unknown): Failure => ({ reason: String(error) }));
      if (isConnected) attempt = 0;
      isConnected = false;
      if (ending.signal.aborted) return;
      if (outcome.fallback === "version" && version === 5) version = 4;
      else if (outcome.fallback === "shared" && isShared) isShared = false;
      else {
        onEvent({ kind: "failed", reason: outcome.reason });
        const delayMs = backoffDelayMs({ attempt, backoff: limits.backoff, random });
        await wait({ clock: systemClock, delayMs, signal: ending.signal });
      }
    }
  }

  /** Runs one connection until it ends. */
  async function serve(): Promise<Failure> {
    const socket = await openBrokerConnection(target, limits.connectTimeoutMs, ending.signal);
    const reader = createPacketReader({ bytesMax: limits.packetBytesMax, version });
    const answers = createOrderedAnswers(() => {
      if (answers.size() < limits.inFlightMax && !isDraining) socket.resume();
    });
    const ended = Promise.withResolvers<Failure>();
    let isDraining = false;
    let isAnswered = true;
    const send = (packet: Packet): void => {
      if (socket.writable) socket.write(encodePacket(packet, version));
    };
    const fail = (reason: string, fallback?: Failure["fallback"]): void => {
      ended.resolve({ reason, fallback });
      socket.destroy();
    };
    const connectTimer = setTimeout(
      () => fail("the broker did not answer CONNECT and SUBSCRIBE in time"),
      limits.connectTimeoutMs,
    );
    const pinging = setInterval(() => {
      if (!isAnswered) fail("the broker does not answer");
      isAnswered = false;
      send({ cmd: "pingreq" });
    }, limits.keepaliveMs);

    function receive(packet: IPublishPacket): void {
      const { topic, payload, qos, messageId = 0, retain } = packet;
      const message = { topic, payload: Buffer.from(payload) };
      const nothing: StoredMessage = { kind: "stored", readings: 0 };
      answers.add(retain ? Promise.resolve(nothing) : store(message, undefined), (stored) => {
        // The broker keeps unacknowledged messages and sends them again over the next connection of this session.
        if (stored.kind === "closing") return;
        if (stored.kind === "rejected") counts.rejected += 1;
        else counts[stored.readings > 0 ? "stored" : "other"] += 1;
        if (qos > 0) send({ cmd: "puback", messageId });
      });
      if (answers.size() >= limits.inFlightMax) socket.pause();
    }
    function greeted(code: number): void {
      if (code !== 0) {
        const isVersion = version === 5 && (code === reasonCodes.unsupportedVersion || code === 1);
        fail(`the broker refuses the connection with code ${code}`, isVersion ? "version" : undefined);
        return;
      }
      const subscriptions = target.filters.map((filter) => ({
        topic: isShared ? `$share/${target.group}/${filter}` : filter,
        qos: 1 as const,
        ...(version === 5 && { nl: false, rap: false, rh: 2 }),
      }));
      send({ cmd: "subscribe", messageId: 1, subscriptions });
    }
    function subscribed(granted: readonly unknown[]): void {
      if (granted.some((code) => typeof code === "number" && code >= 0x80)) {
        fail("the broker refuses the subscription", "shared");
        return;
      }
      clearTimeout(connectTimer);
      isConnected = true;
      onEvent({ kind: "connected", version, isShared });
    }
    function handle(packet: Packet): void {
      if (packet.cmd === "connack") greeted(packet.reasonCode ?? packet.returnCode ?? 0);
      else if (packet.cmd === "suback") subscribed(packet.granted);
      else if (packet.cmd === "publish") receive(packet);
      else if (packet.cmd === "disconnect")
        fail(`the broker disconnects with code ${packet.reasonCode ?? 0}`);
    }
    socket.on("data", (bytes: Buffer) => {
      isAnswered = true;
      if (isDraining) return;
      try {
        for (const packet of reader.read(bytes)) handle(packet);
      } catch (error) {
        fail(error instanceof Error ? error.message : String(error), isConnected ? undefined : "version");
      }
    });
    socket.on("error", (error) => fail(error.message));
    socket.once("close", () => fail("the connection ended", isConnected ? undefined : "version"));
    current = {
      async drain() {
        isDraining = true;
        socket.pause();
        await answers.settled();
        send({ cmd: "disconnect", ...(version === 5 && { reasonCode: reasonCodes.success }) });
        socket.end();
        // Further messages of the broker wait for the next connection of the session.
        socket.resume();
      },
      cut: () => fail("the gateway is closing"),
    };
    send({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: version === 5 ? 5 : 4,
      clientId: target.clientId,
      clean: false,
      keepalive: Math.ceil(limits.keepaliveMs / 1000),
      ...(target.username !== undefined && { username: target.username }),
      ...(target.password !== undefined && { password: Buffer.from(target.password) }),
      ...(version === 5 && {
        properties: {
          sessionExpiryInterval: limits.sessionExpiryMs / 1000,
          receiveMaximum: limits.inFlightMax,
        },
      }),
    });
    try {
      return await ended.promise;
    } finally {
      clearTimeout(connectTimer);
      clearInterval(pinging);
      current = undefined;
    }
  }

  const running = run();
  const close = closeOnce(async () => {
    ending.abort();
    const grace = new AbortController();
    const ended = current === undefined ? running : Promise.all([current.drain(), running]);
    await Promise.race([
      ended,
      wait({ clock: systemClock, delayMs: limits.shutdownGraceMs, signal: grace.signal }),
    ]);
    grace.abort();
    current?.cut();
    await running;
  });
  return {
    isConnected: () => isConnected,
    counts: () => ({ ...counts }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

type Failure = {
  readonly reason: string;
  /** The feature to leave out in the next attempt. */
  readonly fallback?: "version" | "shared" | undefined;
};
