import { type AddressInfo, createServer, type Socket } from "node:net";
import {
  generate,
  type IConnectPacket,
  type IPublishPacket,
  type ISubscribePacket,
  type Packet,
  parser,
} from "mqtt-packet";
import { onTestFinished } from "vitest";

/** Features that the fake broker does not support. */
export type FakeBrokerLimits = { readonly noVersion5?: boolean; readonly noSharedSubscriptions?: boolean };

/**
 * A broker with one persistent session: it sends its messages until they are acknowledged, and again on each
 * connection.
 */
export async function startFakeBroker({ noVersion5, noSharedSubscriptions }: FakeBrokerLimits = {}) {
  const connects: IConnectPacket[] = [];
  const subscribes: ISubscribePacket[] = [];
  const acknowledged: number[] = [];
  const pending = new Map<number, IPublishPacket>();
  let current: { readonly socket: Socket; send(packet: Packet): void } | undefined;

  const server = createServer((socket) => {
    let version = 4;
    const reader = parser();
    const send = (packet: Packet): void => void socket.write(generate(packet, { protocolVersion: version }));
    reader.on("packet", (packet) => {
      if (packet.cmd === "connect") {
        connects.push(packet);
        version = packet.protocolVersion ?? 4;
        const isRefused = version === 5 && noVersion5 === true;
        if (isRefused) version = 4;
        send({
          cmd: "connack",
          sessionPresent: false,
          ...(version === 5 ? { reasonCode: 0 } : { returnCode: isRefused ? 1 : 0 }),
        });
        if (isRefused) socket.end();
      } else if (packet.cmd === "subscribe") {
        subscribes.push(packet);
        const isRefused =
          noSharedSubscriptions === true &&
          packet.subscriptions.some(({ topic }) => topic.startsWith("$share/"));
        send({
          cmd: "suback",
          messageId: packet.messageId ?? 0,
          granted: packet.subscriptions.map(() => (isRefused ? 128 : 1)),
        });
        if (isRefused) return;
        current = { socket, send };
        for (const message of pending.values()) send({ ...message, dup: true });
      } else if (packet.cmd === "puback") {
        acknowledged.push(packet.messageId ?? 0);
        pending.delete(packet.messageId ?? 0);
      } else if (packet.cmd === "pingreq") send({ cmd: "pingresp" });
    });
    socket.on("data", (bytes) => reader.parse(bytes));
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    current?.socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    connects,
    subscribes,
    acknowledged,
    publish(messageId: number, topic: string, payload: string, options: { readonly retain?: boolean } = {}) {
      const message: IPublishPacket = {
        cmd: "publish",
        qos: 1,
        dup: false,
        retain: options.retain ?? false,
        messageId,
        topic,
        payload,
      };
      pending.set(messageId, message);
      current?.send(message);
    },
    cut: () => current?.socket.destroy(),
  };
}
