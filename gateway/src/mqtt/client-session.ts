import type { Socket } from "node:net";
import { clientHandshake, type Handshake } from "./handshake.ts";
import {
  createPacketReader,
  encodePacket,
  type IConnectPacket,
  type IPublishPacket,
  MqttProtocolError,
  type MqttVersion,
  type Packet,
} from "./mqtt-packets.ts";
import { createOrderedAnswers } from "./ordered-answers.ts";
import { reasonCodes, returnCodeOf } from "./reason-codes.ts";
import type { SessionBroker } from "./session-broker.ts";
import type { StoredMessage } from "./store-message.ts";
import type { Subscriber } from "./subscribers.ts";
import { subscribe, unsubscribe } from "./subscriptions.ts";
import { isTopic } from "./topic-filters.ts";

/** One connection of a client. */
export type ClientSession = {
  /** Whether the client has connected. */
  isConnected(): boolean;
  /** Ends the connection at once, with the reason for clients of version 5. */
  end(reasonCode: number): void;
  /** Reads no more, answers received messages, and ends. */
  drain(): Promise<void>;
};

/** Serves one connection until it ends. Acknowledges a message only after its readings are durably stored. */
export function serveClient(socket: Socket, broker: SessionBroker): ClientSession {
  const { limits } = broker;
  const { packetBytesMax: bytesMax, connectBytesMax: firstBytesMax } = limits;
  const reader = createPacketReader({ bytesMax, firstBytesMax });
  const incomplete = broker.incomplete.open({
    isPaused: () => socket.isPaused(),
    reject(reasonCode) {
      if (isEnded) return;
      broker.counts.brokenConnection();
      end(reasonCode);
    },
  });
  const answers = createOrderedAnswers(resume);
  /** Message ids of QoS 2 between PUBREC and PUBREL. */
  const received = new Set<number>();
  let version: MqttVersion = 4;
  let client: Handshake | undefined;
  let will: IConnectPacket["will"];
  let isHandshaking = false;
  let isEnded = false;
  let isDraining = false;
  let queued: Packet[] = [];
  const connectTimer = setTimeout(() => socket.destroy(), limits.connectTimeoutMs);

  const subscriber: Subscriber = {
    deliver({ topic, payload, retain }) {
      // At most once: a subscriber that does not read loses messages instead of filling the broker's memory.
      if (isEnded || socket.writableLength > limits.outgoingBytesMax) broker.counts.dropped();
      else send({ cmd: "publish", qos: 0, dup: false, topic, payload, retain });
    },
  };

  function send(packet: Packet): void {
    if (!isEnded && socket.writable) socket.write(encodePacket(packet, version));
  }
  function end(reasonCode: number): void {
    if (isEnded) return;
    if (version === 5 && client !== undefined && reasonCode !== reasonCodes.success)
      send({ cmd: "disconnect", reasonCode });
    isEnded = true;
    socket.end();
    // A client that does not close its side is disconnected.
    setTimeout(() => socket.destroy(), 1000).unref();
  }
  function resume(): void {
    if (isHandshaking || isEnded || isDraining || answers.size() >= limits.inFlightMax) return;
    const packets = queued;
    queued = [];
    guarded(() => handleAll(packets));
    if (queued.length === 0) socket.resume();
  }
  /** Ends the connection if its bytes break the protocol. */
  function guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      broker.counts.brokenConnection();
      end(error instanceof MqttProtocolError ? reasonCodes.protocolError : reasonCodes.unspecified);
    }
  }
  function handleAll(packets: readonly Packet[]): void {
    for (const [at, packet] of packets.entries()) {
      if (isEnded) return;
      if (isHandshaking || isDraining || answers.size() >= limits.inFlightMax) {
        queued.push(...packets.slice(at));
        socket.pause();
        return;
      }
      handle(packet);
    }
  }
  function handle(packet: Packet): void {
    if (client === undefined && packet.cmd !== "connect")
      throw new MqttProtocolError("CONNECT must come first");
    switch (packet.cmd) {
      case "connect":
        if (client !== undefined) throw new MqttProtocolError("CONNECT came twice");
        isHandshaking = true;
        version = packet.protocolVersion ?? 4;
        void connect(packet);
        break;
      case "publish":
        publish(packet);
        break;
      case "pubrel": {
        const { messageId = 0 } = packet;
        received.delete(messageId);
        send({ cmd: "pubcomp", messageId });
        break;
      }
      case "subscribe":
        subscribe(packet, { version, subscriber, mayRead: client?.mayRead ?? false, broker, send });
        break;
      case "unsubscribe":
        unsubscribe(packet, { version, subscriber, broker, send });
        break;
      case "pingreq":
        send({ cmd: "pingresp" });
        break;
      case "disconnect":
        if (packet.reasonCode !== reasonCodes.withWill) will = undefined;
        end(reasonCodes.success);
        break;
      case "puback":
      case "pubrec":
      case "pubcomp":
        // Acknowledgements of messages that were never sent: the broker sends everything with QoS 0.
        break;
      default:
        throw new MqttProtocolError(`${packet.cmd} is not for a server`);
    }
  }

  async function connect(packet: IConnectPacket): Promise<void> {
    const result = await clientHandshake(packet, socket, broker);
    clearTimeout(connectTimer);
    isHandshaking = false;
    if (isEnded || socket.destroyed) return;
    if (result.kind === "refused") {
      const { reasonCode, text } = result;
      broker.counts.refusedConnection();
      send({
        cmd: "connack",
        sessionPresent: false,
        ...(version === 5
          ? { reasonCode, properties: { reasonString: text } }
          : { returnCode: returnCodeOf(reasonCode) }),
      });
      isEnded = true;
      socket.end();
      return;
    }
    client = result.handshake;
    will = packet.will;
    if (client.keepaliveMs > 0)
      socket.setTimeout(client.keepaliveMs * 1.5, () => end(reasonCodes.keepAliveTimeout));
    broker.enter(client.key, session);
    send({
      cmd: "connack",
      sessionPresent: false,
      ...(version === 5
        ? { reasonCode: reasonCodes.success, properties: client.properties }
        : { returnCode: 0 }),
    });
    resume();
  }

  function publish(packet: IPublishPacket): void {
    const { topic, qos, messageId = 0, retain } = packet;
    if (!isTopic(topic)) throw new MqttProtocolError("the topic of a message is empty or has wildcards");
    if (qos === 2 && received.has(messageId)) {
      answers.add(Promise.resolve(), () => send({ cmd: "pubrec", messageId }));
      return;
    }
    if (qos === 2) received.add(messageId);
    if (received.size > limits.inFlightMax)
      throw new MqttProtocolError("too many messages of QoS 2 are not released");
    if (client?.problem() !== undefined) {
      end(reasonCodes.notAuthorized);
      return;
    }
    const payload = Buffer.from(packet.payload);
    answers.add(broker.store({ topic, payload }, client?.sender), (stored) => {
      broker.counts.message(stored);
      // Without an acknowledgement, the client sends the message again.
      if (stored.kind === "closing") return;
      const isForeign = stored.kind === "rejected" && stored.isForeign;
      if (isForeign && version !== 5) {
        end(reasonCodes.notAuthorized);
        return;
      }
      const isOwn = stored.kind === "stored" ? stored.readings > 0 : !isForeign;
      if (isOwn || client?.mayRead) broker.subscribers.publish({ topic, payload, retain });
      if (qos > 0) acknowledge(qos, messageId, stored);
    });
  }
  function acknowledge(qos: number, messageId: number, stored: StoredMessage): void {
    const cmd = qos === 1 ? "puback" : "pubrec";
    if (version !== 5 || stored.kind !== "rejected") {
      // Before version 5 the protocol has no negative response: a rejection is only counted and logged.
      send({ cmd, messageId });
      return;
    }
    received.delete(messageId);
    const reasonCode = stored.isForeign ? reasonCodes.notAuthorized : reasonCodes.payloadInvalid;
    send({ cmd, messageId, reasonCode, properties: { reasonString: stored.text.slice(0, 500) } });
  }

  socket.on("data", (bytes: Buffer) => {
    if (isEnded) return;
    guarded(() => handleAll(reader.read(bytes)));
    incomplete.received(bytes.length, reader.incompleteBytes);
  });
  socket.on("end", () => socket.end());
  socket.once("close", () => {
    isEnded = true;
    clearTimeout(connectTimer);
    incomplete.end();
    broker.subscribers.leave(subscriber);
    if (client !== undefined) broker.leave(client.key, session);
    // A will is for subscribers; it is not a reading.
    if (will !== undefined && client?.mayRead && isTopic(will.topic)) {
      broker.subscribers.publish({
        topic: will.topic,
        payload: Buffer.from(will.payload),
        retain: will.retain ?? false,
      });
    }
  });

  const session: ClientSession = {
    isConnected: () => client !== undefined,
    end,
    async drain() {
      isDraining = true;
      socket.pause();
      await answers.settled();
      end(reasonCodes.serverShuttingDown);
    },
  };
  return session;
}
