import { expect, it, onTestFinished } from "vitest";
import { type FakeBrokerLimits, startFakeBroker } from "../../testing/fake-broker.ts";
import { createFakeIngest, type FakeIngest, unavailableNow } from "../../testing/fake-ingest.ts";
import { testNowMs } from "../../testing/test-gateway.ts";
import { testLookup } from "../../testing/test-lookup.ts";
import { createDelivery } from "../deliver/delivery.ts";
import { gatewayLimits } from "../limits.ts";
import { createTopicMapping, topicsByDefault } from "../topics/topic-mapping.ts";
import { type BridgeEvent, bridgeLimits, startMqttBridge } from "./bridge.ts";
import { bridgeTargetOf } from "./broker-connection.ts";
import { createStoreMessage } from "./store-message.ts";

const quick = { firstMs: 1, longestMs: 5 };

async function startBridge(ingest: FakeIngest, broker: Awaited<ReturnType<typeof startFakeBroker>>) {
  const events: BridgeEvent[] = [];
  const delivery = createDelivery({ sender: ingest, limits: { ...gatewayLimits.delivery, backoff: quick } });
  let isClosing = false;
  const bridge = startMqttBridge({
    target: bridgeTargetOf(`mqtt://me:secret@127.0.0.1:${broker.port}`, {
      clientId: "mesh",
      group: "mesh",
      filters: ["home/#"],
      ca: undefined,
    }),
    store: createStoreMessage({
      mapping: createTopicMapping(topicsByDefault, testLookup),
      delivery,
      clock: () => testNowMs,
      isClosing: () => isClosing,
    }),
    limits: { ...bridgeLimits, backoff: quick, shutdownGraceMs: 100 },
    onEvent: (event) => events.push(event),
  });
  const close = async (): Promise<void> => {
    isClosing = true;
    await bridge.close();
    await delivery.close({ limitMs: 0 });
  };
  onTestFinished(close);
  await expect.poll(() => bridge.isConnected()).toBe(true);
  return { bridge, events, close };
}

it("subscribes with QoS 1, a shared subscription and a session that outlives the connection", async () => {
  const broker = await startFakeBroker();
  const { events } = await startBridge(createFakeIngest(), broker);
  expect(broker.connects).toMatchObject([
    {
      protocolVersion: 5,
      clientId: "mesh",
      clean: false,
      username: "me",
      password: Buffer.from("secret"),
      properties: { sessionExpiryInterval: 604_800 },
    },
  ]);
  expect(broker.subscribes).toMatchObject([
    { subscriptions: [{ topic: "$share/mesh/home/#", qos: 1, rh: 2 }] },
  ]);
  expect(events).toEqual([{ kind: "connected", version: 5, isShared: true }]);
});

it.each<[FakeBrokerLimits, number, string]>([
  [{ noVersion5: true }, 4, "$share/mesh/home/#"],
  [{ noSharedSubscriptions: true }, 5, "home/#"],
  [{ noVersion5: true, noSharedSubscriptions: true }, 4, "home/#"],
])("works without the features that the broker lacks: %j", async (limits, version, topic) => {
  const broker = await startFakeBroker(limits);
  const ingest = createFakeIngest();
  await startBridge(ingest, broker);
  expect(broker.connects.at(-1)).toMatchObject({ protocolVersion: version });
  expect(broker.subscribes.at(-1)).toMatchObject({ subscriptions: [{ topic }] });
  broker.publish(1, "home/kitchen/temperature", "21.5");
  await expect.poll(() => broker.acknowledged).toEqual([1]);
  expect(ingest.stored).toMatchObject([{ deviceId: "home/kitchen", value: 21.5 }]);
});

it("acknowledges messages only after ingest has, in their order", async () => {
  const broker = await startFakeBroker();
  const ingest = createFakeIngest({ isQueued: true });
  await startBridge(ingest, broker);
  for (const [at, device] of ["a", "b", "c"].entries())
    broker.publish(at + 1, `home/${device}/temperature`, "1");
  await expect.poll(() => ingest.calls.length).toBeGreaterThan(0);
  expect(broker.acknowledged).toEqual([]);
  ingest.release();
  await expect.poll(() => broker.acknowledged).toEqual([1, 2, 3]);
});

it("acknowledges retained messages, rejected readings and messages that are not readings, and stores none of them", async () => {
  const broker = await startFakeBroker();
  const ingest = createFakeIngest({ isValid: () => false });
  const { bridge } = await startBridge(ingest, broker);
  broker.publish(1, "home/kitchen/temperature", "20", { retain: true });
  broker.publish(2, "home/kitchen/temperature", "999");
  broker.publish(3, "home/kitchen/status", "online");
  await expect.poll(() => broker.acknowledged).toEqual([1, 2, 3]);
  expect(ingest.calls).toMatchObject([[{ value: 999 }]]);
  expect(bridge.counts()).toEqual({ stored: 0, rejected: 1, other: 2 });
});

it("receives unacknowledged messages again after its connection broke, and stores them once", async () => {
  const broker = await startFakeBroker();
  let isUnavailable = true;
  const ingest = createFakeIngest({ respond: () => (isUnavailable ? unavailableNow : undefined) });
  await startBridge(ingest, broker);
  const payload = JSON.stringify({ temperature: 1, timestamp: 1680033862 });
  broker.publish(1, "home/a", payload);
  await expect.poll(() => ingest.calls.length).toBeGreaterThan(0);
  broker.cut();
  await expect.poll(() => broker.connects.length).toBe(2);
  expect(broker.acknowledged).toEqual([]);
  isUnavailable = false;
  await expect.poll(() => broker.acknowledged).toContain(1);
  expect(ingest.stored).toHaveLength(1);
});

it("leaves unstored messages to the broker when it closes", async () => {
  const broker = await startFakeBroker();
  const ingest = createFakeIngest({ isQueued: true });
  const { close } = await startBridge(ingest, broker);
  broker.publish(1, "home/a/temperature", "1");
  await expect.poll(() => ingest.calls.length).toBe(1);
  await close();
  expect(broker.acknowledged).toEqual([]);
});

it.each(["", "host:1883", "http://host", "mqtt://", "mqtt://me:secret@"])(
  "names what is wrong with the address %j, without its password",
  (url) => {
    const options = { clientId: "a", group: "a", filters: ["#"], ca: undefined };
    expect(() => bridgeTargetOf(url, options)).toThrow(/^--mqtt-url must be mqtt:\/\/HOST:PORT(?!.*secret)/);
  },
);
