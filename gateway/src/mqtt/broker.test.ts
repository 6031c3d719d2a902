import { permissionDenied, unauthenticated } from "@devicemesh/identity/access-error";
import * as fc from "fast-check";
import { generate } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { createFakeIngest, unavailableNow } from "../../testing/fake-ingest.ts";
import { connectClient, connectRaw, serveBroker } from "../../testing/test-broker.ts";
import { createPacketReader, MqttProtocolError } from "./mqtt-packets.ts";

const versions = [3, 4, 5] as const;
const protocol = (protocolVersion: 3 | 4 | 5) =>
  protocolVersion === 3 ? { protocolVersion, protocolId: "MQIsdp" as const } : { protocolVersion };

describe.each(versions)("MQTT version %i", (version) => {
  it.each([0, 1, 2] as const)("stores readings that are published with QoS %i", async (qos) => {
    const { port, ingest } = await serveBroker();
    const client = await connectClient(port, protocol(version));
    await client.publishAsync("kitchen/temperature", "21.5", { qos });
    await expect
      .poll(() => ingest.stored)
      .toMatchObject([{ deviceId: "kitchen", sensor: "temperature", value: 21.5 }]);
  });

  it.each([1, 2] as const)("acknowledges QoS %i only after ingest has", async (qos) => {
    const ingest = createFakeIngest({ isQueued: true });
    const { port } = await serveBroker({ ingest });
    const client = await connectClient(port, protocol(version));
    let isAcknowledged = false;
    const published = client.publishAsync("kitchen/temperature", "21.5", { qos }).finally(() => {
      isAcknowledged = true;
    });
    await expect.poll(() => ingest.calls.length).toBe(1);
    // Later packets of the connection are answered meanwhile, so an early PUBACK would have arrived before.
    await client.subscribeAsync("x");
    expect(isAcknowledged).toBe(false);
    ingest.release();
    await published;
    expect(ingest.stored).toHaveLength(1);
  });

  it("forwards messages to subscribers, and retained ones to later subscribers", async () => {
    const { port } = await serveBroker();
    const [a, b] = [
      await connectClient(port, protocol(version)),
      await connectClient(port, protocol(version)),
    ];
    const received: string[] = [];
    b.on("message", (topic, payload, { retain }) => received.push(`${topic} ${payload} ${retain}`));
    await b.subscribeAsync("home/+/temperature");
    await a.publishAsync("home/kitchen/temperature", "1", { qos: 1, retain: true });
    await a.publishAsync("home/kitchen/humidity", "2", { qos: 1, retain: true });
    await expect.poll(() => received).toEqual(["home/kitchen/temperature 1 false"]);
    await b.subscribeAsync("home/kitchen/#");
    await expect
      .poll(() => received.slice(1).sort())
      .toEqual(["home/kitchen/humidity 2 true", "home/kitchen/temperature 1 true"]);
    await b.unsubscribeAsync("home/kitchen/#");
  });

  it("publishes a will to subscribers and stores no reading from it", async () => {
    const { port, ingest } = await serveBroker();
    const will = { topic: "kitchen/temperature", payload: Buffer.from("99"), qos: 1 as const, retain: true };
    const client = await connectClient(port, { ...protocol(version), will });
    const watcher = await connectClient(port);
    const received: string[] = [];
    watcher.on("message", (topic, payload) => received.push(`${topic} ${payload}`));
    await watcher.subscribeAsync("#");
    client.stream.destroy();
    await expect.poll(() => received).toEqual(["kitchen/temperature 99"]);
    expect(ingest.calls).toEqual([]);
  });

  it("keeps the order of a connection's readings, and acknowledges all of them", async () => {
    const { port, ingest } = await serveBroker();
    const client = await connectClient(port, protocol(version));
    const values = [...Array(300).keys()];
    await Promise.all(
      values.map((value) =>
        client.publishAsync("a", JSON.stringify({ temperature: value, timestamp: 1680033862 + value }), {
          qos: 1,
        }),
      ),
    );
    expect(ingest.stored.map(({ value }) => value)).toEqual(values);
  });
});

it("sends clients of version 5 the reason of a rejection, and reports and acknowledges it for earlier versions", async () => {
  const { port, rejected } = await serveBroker({ ingest: createFakeIngest({ isValid: () => false }) });
  const [v5, v4] = [await connectClient(port, { protocolVersion: 5 }), await connectClient(port)];
  await expect(v5.publishAsync("kitchen/temperature", "999", { qos: 1 })).rejects.toMatchObject({
    code: 0x99,
  });
  await expect(v5.publishAsync("kitchen/temperature", "warm", { qos: 1 })).rejects.toMatchObject({
    code: 0x99,
  });
  await v4.publishAsync("kitchen/temperature", "999", { qos: 1 });
  expect(rejected).toHaveLength(3);
  expect(rejected[0]).toMatch(/^kitchen\/temperature: .*must be in range/);
});

it("acknowledges nothing while readings cannot be stored, and everything afterwards", async () => {
  let isUnavailable = true;
  const ingest = createFakeIngest({ respond: () => (isUnavailable ? unavailableNow : undefined) });
  const { port } = await serveBroker({ ingest });
  const client = await connectClient(port);
  const published = Promise.all(
    [1, 2, 3].map((value) => client.publishAsync("a/temperature", `${value}`, { qos: 1 })),
  );
  await expect.poll(() => ingest.calls.length).toBeGreaterThan(3);
  isUnavailable = false;
  await published;
  expect(ingest.stored.length).toBeGreaterThan(0);
});

it("stops reading a connection with too many unacknowledged messages", async () => {
  const ingest = createFakeIngest({ isQueued: true });
  const { port, delivery } = await serveBroker({ ingest, limits: { inFlightMax: 10 } });
  const client = await connectClient(port);
  const published = Promise.all(
    [...Array(100).keys()].map((value) =>
      client.publishAsync("a", JSON.stringify({ temperature: 1, timestamp: 1680033862 + value }), { qos: 1 }),
    ),
  );
  await expect.poll(() => delivery.counts().waiting).toBe(10);
  ingest.release();
  await published;
  expect(ingest.stored).toHaveLength(100);
});

it("rejects values and times that are nested more deeply than can be written, and continues", async () => {
  const nested = `${"[".repeat(30_000)}${"]".repeat(30_000)}`;
  const { port, ingest, rejected } = await serveBroker();
  const client = await connectClient(port);
  await client.publishAsync("kitchen", `{"temperature":${nested}}`, { qos: 1 });
  await client.publishAsync("kitchen", `{"temperature":1,"timestamp":${nested}}`, { qos: 1 });
  await client.publishAsync("kitchen", '{"temperature":21.5}', { qos: 1 });
  expect(rejected).toMatchObject([
    expect.stringContaining("must be a number, not a list"),
    expect.stringContaining("a list is not a time"),
  ]);
  expect(ingest.stored).toHaveLength(1);
});

it("ends an earlier connection of the same client id", async () => {
  const { port } = await serveBroker();
  const first = await connectClient(port, { clientId: "a", protocolVersion: 5 });
  const ended = new Promise((resolve) => first.once("close", () => resolve(true)));
  const second = await connectClient(port, { clientId: "a", protocolVersion: 5 });
  expect(await ended).toBe(true);
  await second.publishAsync("a/temperature", "1", { qos: 1 });
});

describe("with identity", () => {
  const identify = async ({ token }: { readonly token: string | undefined }) => {
    if (token === undefined) throw unauthenticated({ reason: "TOKEN_MISSING", message: "there is no token" });
    if (token === "none") throw permissionDenied({ reason: "SCOPE_MISSING", message: "no scope" });
    const publisher = {
      uri: token,
      mayPublish: (id: string) => id === "mine",
      refusalText: "must be mine",
      problem: () => undefined,
    };
    return { publisher, mayRead: token === "reader" };
  };

  it.each(versions)("rejects clients without a token or without the scope (version %i)", async (version) => {
    const { port, listener } = await serveBroker({ identify });
    await expect(connectClient(port, protocol(version))).rejects.toMatchObject({
      code: version === 5 ? 0x86 : 4,
    });
    const options = { ...protocol(version), username: "x", password: "none" };
    await expect(connectClient(port, options)).rejects.toMatchObject({ code: version === 5 ? 0x87 : 5 });
    expect(listener.counts().refusedConnections).toBe(2);
  });

  it("stores only the sender's devices: other readings are rejected, never acknowledged", async () => {
    const { port, ingest } = await serveBroker({ identify });
    const options = { username: "x", password: "sender" };
    const v5 = await connectClient(port, { ...options, protocolVersion: 5 });
    await v5.publishAsync("mine/temperature", "1", { qos: 1 });
    await expect(v5.publishAsync("other/temperature", "1", { qos: 1 })).rejects.toMatchObject({ code: 0x87 });
    const v4 = await connectClient(port, options);
    const ended = new Promise((resolve) => v4.once("close", () => resolve(true)));
    v4.publish("other/temperature", "1", { qos: 1 });
    expect(await ended).toBe(true);
    expect(ingest.stored.map(({ deviceId }) => deviceId)).toEqual(["mine"]);
  });

  it("lets only clients with the scope to read subscribe", async () => {
    const { port } = await serveBroker({ identify });
    const sender = await connectClient(port, { username: "x", password: "sender" });
    await expect(sender.subscribeAsync("#")).rejects.toThrow();
    const reader = await connectClient(port, { username: "x", password: "reader" });
    expect(await reader.subscribeAsync("#")).toMatchObject([{ qos: 0 }]);
  });
});

describe("hostile clients", () => {
  const connectBytes = generate({
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clientId: "x",
    clean: true,
    keepalive: 0,
  });

  it.each([
    ["a packet before CONNECT", generate({ cmd: "pingreq" })],
    ["a second CONNECT", Buffer.concat([connectBytes, connectBytes])],
    ["bytes of another protocol", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["a topic with wildcards", Buffer.concat([connectBytes, Buffer.from([0x30, 5, 0, 1, 0x23, 0x31, 0x31])])],
    [
      "a packet that is too large",
      Buffer.concat([connectBytes, Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])]),
    ],
  ])("are disconnected for %s", async (_, bytes) => {
    const { port, listener } = await serveBroker();
    await connectRaw(port, bytes).closed;
    expect(listener.counts().brokenConnections).toBe(1);
  });

  it("are disconnected if they do not send CONNECT in time", async () => {
    const { port } = await serveBroker({ limits: { connectTimeoutMs: 20 } });
    await connectRaw(port, Buffer.from([0x10])).closed;
  });

  it("cannot crash the packet reader with any bytes", () => {
    const start = fc.constantFrom(Buffer.alloc(0), connectBytes);
    fc.assert(
      fc.property(start, fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 4 }), (head, chunks) => {
        const reader = createPacketReader({ bytesMax: 1000 });
        try {
          for (const chunk of [head, ...chunks]) reader.read(Buffer.from(chunk));
        } catch (error) {
          expect(error).toBeInstanceOf(MqttProtocolError);
        }
      }),
      { numRuns: 100_000 },
    );
  });
});

it("answers received messages before it closes", async () => {
  const ingest = createFakeIngest({ isQueued: true });
  const { port, listener } = await serveBroker({ ingest });
  const client = await connectClient(port);
  const published = client.publishAsync("a/temperature", "1", { qos: 1 });
  await expect.poll(() => ingest.calls.length).toBe(1);
  const closed = listener.close();
  ingest.release();
  await published;
  await closed;
});
