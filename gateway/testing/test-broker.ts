import { connect as connectSocket, type Socket } from "node:net";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { onTestFinished } from "vitest";
import { createDelivery } from "../src/deliver/delivery.ts";
import { gatewayLimits } from "../src/limits.ts";
import { type MqttLimits, mqttLimits, startMqttListener } from "../src/mqtt/mqtt-listener.ts";
import type { IdentifyClient } from "../src/mqtt/session-broker.ts";
import { createStoreMessage } from "../src/mqtt/store-message.ts";
import { createTopicMapping, topicsByDefault } from "../src/topics/topic-mapping.ts";
import { createFakeIngest, type FakeIngest } from "./fake-ingest.ts";
import { testNowMs } from "./test-gateway.ts";
import { testLookup } from "./test-lookup.ts";

/** An MQTT broker in front of a fake ingest, until the test ends. */
export async function serveBroker({
  ingest = createFakeIngest(),
  identify,
  limits = {},
}: {
  readonly ingest?: FakeIngest;
  readonly identify?: IdentifyClient;
  readonly limits?: Partial<MqttLimits>;
} = {}) {
  const rejected: string[] = [];
  const backoff = { firstMs: 1, longestMs: 2 };
  const delivery = createDelivery({ sender: ingest, limits: { ...gatewayLimits.delivery, backoff } });
  const listener = await startMqttListener({
    host: "127.0.0.1",
    port: 0,
    identify,
    limits: { ...mqttLimits, shutdownGraceMs: 200, ...limits },
    store: createStoreMessage({
      mapping: createTopicMapping(topicsByDefault, testLookup),
      delivery,
      clock: () => testNowMs,
      isClosing: () => false,
      onRejected: ({ text }) => rejected.push(text),
    }),
  });
  onTestFinished(async () => {
    await listener.close();
    await delivery.close({ limitMs: 0 });
  });
  return { listener, delivery, ingest, rejected, port: listener.port };
}

/** A connected client of mqtt.js; it does not reconnect. */
export async function connectClient(port: number, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await mqtt.connectAsync({ host: "127.0.0.1", port, reconnectPeriod: 0, ...options });
  onTestFinished(() => client.endAsync(true));
  return client;
}

/** A connection that sends these bytes; `closed` resolves with the bytes received until it ended. */
export function connectRaw(
  port: number,
  bytes: Uint8Array,
): { readonly socket: Socket; readonly closed: Promise<Buffer> } {
  const socket = connectSocket({ host: "127.0.0.1", port });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => {});
  socket.write(bytes);
  onTestFinished(() => void socket.destroy());
  const closed = new Promise<Buffer>((resolve) => socket.once("close", () => resolve(Buffer.concat(chunks))));
  return { socket, closed };
}
