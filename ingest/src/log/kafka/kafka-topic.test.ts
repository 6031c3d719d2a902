import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import type { DeviceMessage } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { type BatchFate, type FakeBrokers, startFakeBrokers } from "../../../testing/fake-brokers.ts";
import { batchOf, describeMessageLog, seriesOf } from "../../../testing/message-log.contract.ts";
import { createKafkaMessageLog } from "./kafka-message-log.ts";
import { createRecordBatchWriter, setBatchProducer } from "./kafka-record-batch.ts";
import { createKafkaTopic } from "./kafka-topic.ts";
import { createLogDevices } from "./log-devices.ts";
import type { PartitionedLogLimits } from "./partitioned-log-limits.ts";

function openLog({ addresses }: FakeBrokers, limits: Partial<PartitionedLogLimits> = {}) {
  const log = createKafkaMessageLog({
    brokers: addresses,
    topic: "t",
    limits: { lingerMs: 1, resend: { firstMs: 1, longestMs: 20 }, closeGraceMs: 50, ...limits },
  });
  return Object.assign(log, { [Symbol.asyncDispose]: () => log.close() });
}

/** The contents of the brokers, including duplicates. */
function readAll({ store }: FakeBrokers): DeviceMessage[] {
  return store.stored.flat().map(({ value }) => {
    const { device_id: deviceId, timestamp, ...rest } = JSON.parse(String(value));
    return { deviceId, timestampMs: Date.parse(timestamp), ...rest };
  });
}

function firstOfEach(messages: readonly DeviceMessage[]): DeviceMessage[] {
  const seen = new Set<string>();
  return messages.filter(({ deviceId, sensor, timestampMs }) => {
    const identity = `${deviceId}|${sensor}|${timestampMs}`;
    if (seen.has(identity)) return false;
    seen.add(identity);
    return true;
  });
}

describeMessageLog("the Kafka log over the protocol", async () => {
  const brokers = await startFakeBrokers({ topic: "t", partitions: 3, brokers: 2 });
  const log = openLog(brokers);
  return {
    log,
    readAll: async () => firstOfEach(readAll(brokers)),
    async close() {
      await log.close();
      await brokers[Symbol.asyncDispose]();
    },
  };
});

const devices = Array.from({ length: 12 }, (_, i) => `device-${i}`);
const everyDevice = (count: number) => devices.flatMap((device) => seriesOf(device, count));
const ofDevices = (messages: readonly DeviceMessage[]) =>
  devices.map((device) => messages.filter(({ deviceId }) => deviceId === device));

describe("the Kafka log", () => {
  it("sends the batches of one broker's partitions in one request", async () => {
    await using brokers = await startFakeBrokers({ topic: "t", partitions: 6, brokers: 2 });
    await using log = openLog(brokers);
    // So that every partition has its producer.
    await log.append(batchOf(everyDevice(1)));
    const { length } = brokers.requests;
    await log.append(batchOf(everyDevice(5)));
    const requests = brokers.requests.slice(length);
    expect(requests.map(({ broker }) => broker).sort()).toEqual([0, 1]);
    expect(requests.flatMap(({ partitions }) => partitions).length).toBeGreaterThan(2);
  });

  const faults: [name: string, fate: BatchFate][] = [
    ["the connection breaks before the answer", "store and cut"],
    ["the answer leaves out the partition", "store and leave out"],
    ["the answer has no offset", "store without offset"],
    ["the replicas are too slow", { error: 7, stores: true }],
    ["the replicas are too slow, and nothing is stored", { error: 7 }],
    ["too few replicas are left once it is stored", { error: 20, stores: true }],
    ["too few replicas are in sync", { error: 19 }],
    ["the leader has moved", { error: 6 }],
    ["the topic is not known there yet", { error: 3 }],
    ["the disk of the broker fails", { error: 56 }],
  ];
  it.each(faults)("stores every message once and in order although %s", async (_, fate) => {
    await using brokers = await startFakeBrokers({ topic: "t", partitions: 4, brokers: 2 });
    await using log = openLog(brokers, { sendRecordsMax: 7 });
    let batches = 0;
    brokers.fate = () => (++batches % 3 === 0 ? fate : "store");
    for (let round = 0; round < 4; round++) {
      const from = round * 6;
      await log.append(batchOf(devices.flatMap((device) => seriesOf(device, from + 6).slice(from))));
    }
    expect(ofDevices(readAll(brokers))).toEqual(devices.map((device) => seriesOf(device, 24)));
    expect(log.stats().failedSends).toBeGreaterThan(0);
  });

  it("counts a batch as appended if the broker already has it", async () => {
    await using brokers = await startFakeBrokers({ topic: "t", partitions: 1, brokers: 1 });
    await using log = openLog(brokers);
    brokers.fate = () => ({ error: 46, stores: true });
    await log.append(batchOf(seriesOf("a", 3)));
    expect(readAll(brokers)).toEqual(seriesOf("a", 3));
    expect(log.stats()).toMatchObject({ sends: 1, failedSends: 0 });
  });

  it("finds the new leader when partitions move, and keeps the order of each device", async () => {
    await using brokers = await startFakeBrokers({ topic: "t", partitions: 4, brokers: 3 });
    await using log = openLog(brokers, { sendRecordsMax: 5 });
    const appends = devices.map((device) => log.append(batchOf(seriesOf(device, 40))));
    for (let move = 0; move < 6; move++) {
      const { length } = brokers.requests;
      await waitUntil(() => brokers.requests.length > length || log.stats().readingsInFlight === 0);
      brokers.leaders.forEach((leader, partition) => {
        brokers.leaders[partition] = (leader + 1) % 3;
      });
    }
    await Promise.all(appends);
    expect(ofDevices(readAll(brokers))).toEqual(devices.map((device) => seriesOf(device, 40)));
  });

  it("waits for a leader while a partition has none", async () => {
    await using brokers = await startFakeBrokers({ topic: "t", partitions: 2, brokers: 2 });
    await using log = openLog(brokers);
    brokers.leaders.fill(-1);
    const append = log.append(batchOf(everyDevice(3)));
    await waitUntil(() => log.stats().failedSends > 3);
    expect(log.stats().fault).toMatchObject({ message: "the message log returned LEADER_NOT_AVAILABLE" });
    brokers.leaders.fill(1);
    await append;
    expect(readAll(brokers)).toHaveLength(36);
  });

  it("drops a broker that does not answer, and sends the same batch on another connection", async () => {
    await using brokers = await startFakeBrokers({ topic: "t", partitions: 1, brokers: 1 });
    await using log = openLog(brokers, { appendTimeoutMs: 1000 });
    brokers.fate = () => "store and stay silent";
    await expect(log.append(batchOf(seriesOf("a", 3)))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    brokers.fate = () => "store";
    await waitUntil(() =>
      log.append(batchOf(seriesOf("b", 3))).then(
        () => true,
        () => false,
      ),
    );
    expect(firstOfEach(readAll(brokers))).toEqual([...seriesOf("a", 3), ...seriesOf("b", 3)]);
  });

  it("waits as long as a broker requires before its next request", async () => {
    await using brokers = await startFakeBrokers({ topic: "t", partitions: 1, brokers: 1 });
    await using log = openLog(brokers);
    brokers.throttleMs = 300;
    await log.append(batchOf(seriesOf("a", 1)));
    const startMs = performance.now();
    await log.append(batchOf(seriesOf("b", 1)));
    expect(performance.now() - startMs).toBeGreaterThan(250);
  });
});

describe("a topic", () => {
  const { of } = createLogDevices({ partitions: 1 });

  /** A batch of the first rows of a device; its producer is 0. */
  function batch(rows: number): Buffer {
    const writer = createRecordBatchWriter({ recordsMax: 10_000, bytesMax: 960 * 1024 });
    const messages = batchOf(seriesOf("a", rows));
    for (let row = 0; row < rows; row++) writer.add(messages, row, of("a"));
    const bytes = writer.finish(0);
    setBatchProducer(bytes, { id: 0n, epoch: 0, sequence: 0 });
    return bytes;
  }

  const succeeds = (work: Promise<unknown>) =>
    work.then(
      () => true,
      () => false,
    );

  async function open(requestTimeoutMs: number) {
    const brokers = await startFakeBrokers({ topic: "t", partitions: 2, brokers: 1 });
    const topic = createKafkaTopic({
      brokers: brokers.addresses,
      topic: "t",
      clientId: "test",
      requestTimeoutMs,
    });
    await waitUntil(() => succeeds(topic.describe()));
    return {
      brokers,
      topic,
      async [Symbol.asyncDispose]() {
        await topic.close();
        await brokers[Symbol.asyncDispose]();
      },
    };
  }

  it("sends small and large batches in one request", async () => {
    await using test = await open(10_000);
    const batches = [batch(3), batch(4000)];
    const sent = batches.map((one, partition) => test.topic.send(partition, one));
    expect(await Promise.all(sent)).toEqual(["appended", "appended"]);
    expect(test.brokers.requests).toEqual([{ broker: 0, partitions: [0, 1] }]);
    expect(test.brokers.store.stored.map(({ length }) => length)).toEqual([3, 4000]);
  });

  it("rejects all requests of a connection when one is not answered in time, and makes another", async () => {
    await using test = await open(200);
    test.brokers.fate = () => "store and stay silent";
    const outcomes = await Promise.allSettled(
      [0, 1].map((partition) => test.topic.send(partition, batch(3))),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    test.brokers.fate = () => "store";
    await waitUntil(() => succeeds(test.topic.send(0, batch(3))));
    expect(test.brokers.store.stored.map(({ length }) => length)).toEqual([3, 3]);
  });
});

describe("a topic of unreachable brokers", () => {
  // No server listens on port 1.
  const open = () =>
    createKafkaTopic({ brokers: ["127.0.0.1:1"], topic: "t", clientId: "test", requestTimeoutMs: 1000 });
  const refusal = {
    code: "UNAVAILABLE",
    message: "the message log cannot be reached",
    details: [{ kind: "retryInfo" }],
    cause: expect.objectContaining({ message: expect.stringContaining("ECONNREFUSED") }),
  };

  it("rejects with UNAVAILABLE; addresses are in the cause only", async () => {
    const topic = open();
    await expect(topic.describe()).rejects.toMatchObject(refusal);
    await expect(topic.openProducer()).rejects.toMatchObject(refusal);
    await expect(topic.send(0, Buffer.alloc(61))).rejects.toMatchObject(refusal);
    await topic.close();
  });

  it("can be closed at any time, twice", async () => {
    const topic = open();
    const asked = topic.describe();
    const closed = topic.close();
    expect(topic.close()).toBe(closed);
    await expect(asked).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await closed;
    await expect(topic.send(0, Buffer.alloc(61))).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});

describe("a topic of brokers that accept connections and answer nothing", () => {
  it("rejects requests in time, and can be closed", async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => sockets.add(socket.on("error", () => {})));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const topic = createKafkaTopic({
      brokers: [`127.0.0.1:${port}`],
      topic: "t",
      clientId: "test",
      requestTimeoutMs: 200,
    });
    await expect(topic.describe()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(topic.send(0, Buffer.alloc(61))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(sockets.size).toBeGreaterThan(0);
    await topic.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});
