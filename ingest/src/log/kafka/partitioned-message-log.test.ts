import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import type { DeviceMessage } from "@devicemesh/proto";
import { afterEach, describe, expect, it } from "vitest";
import { createFakeTopic, type FakeTopic } from "../../../testing/fake-topic.ts";
import { batchOf, describeMessageLog } from "../../../testing/message-log.contract.ts";
import type { MessageRecord } from "../../../testing/record-batches.ts";
import { partitionOf } from "./murmur2.ts";
import { defaultPartitionedLogLimits, type PartitionedLogLimits } from "./partitioned-log-limits.ts";
import { createPartitionedMessageLog, type PartitionedMessageLog } from "./partitioned-message-log.ts";

const quick = {
  ...defaultPartitionedLogLimits,
  lingerMs: 1,
  resend: { firstMs: 1, longestMs: 5 },
  closeGraceMs: 50,
  watch: { healthyMs: 5, failingMs: 5 },
} satisfies PartitionedLogLimits;

const opened: { readonly fake: FakeTopic; readonly log: PartitionedMessageLog }[] = [];

function openLog(limits: Partial<PartitionedLogLimits> = {}, partitions = 3) {
  const fake = createFakeTopic({ partitions });
  const reported: boolean[] = [];
  const log = createPartitionedMessageLog({
    topic: fake.topic,
    limits: { ...quick, ...limits },
    onReachable: (reachable) => reported.push(reachable),
  });
  opened.push({ fake, log });
  return { fake, log, reported };
}

afterEach(async () => {
  for (const { fake, log } of opened.splice(0)) {
    fake.release();
    await log.close();
  }
});

const messages = (deviceId: string, count: number, first = 0): DeviceMessage[] =>
  Array.from({ length: count }, (_, i) => ({
    deviceId,
    timestampMs: first + i,
    sensor: "temperature",
    value: 20,
  }));

function messageOf({ value }: MessageRecord): DeviceMessage {
  const { device_id: deviceId, timestamp, ...rest } = JSON.parse(String(value));
  return { deviceId, timestampMs: Date.parse(timestamp), ...rest };
}

function readAll({ stored }: FakeTopic): DeviceMessage[] {
  const first = new Map<string, DeviceMessage>();
  for (const record of stored.flat()) {
    if (!first.has(String(record.key))) first.set(String(record.key), messageOf(record));
  }
  return [...first.values()];
}

const keysOf = (records: readonly MessageRecord[]) => records.map(({ key }) => String(key));

describeMessageLog("the partitioned log", async () => {
  const { fake, log } = openLog();
  return { log, readAll: async () => readAll(fake), close: () => log.close() };
});

describeMessageLog("the partitioned log on a topic that loses every third answer", async () => {
  const { fake, log } = openLog();
  fake.fate = ({ attempt }) =>
    attempt % 3 === 0 ? "store-and-reject" : attempt % 3 === 1 ? "refuse" : "store";
  return { log, readAll: async () => readAll(fake), close: () => log.close() };
});

describe("the partitioned log", () => {
  it("has one send at a time to a partition, of bounded size, and each device in its own partition", async () => {
    const { fake, log } = openLog({ sendRecordsMax: 7 });
    const devices = Array.from({ length: 20 }, (_, i) => `device-${i}`);
    await Promise.all(devices.map((device) => log.append(batchOf(messages(device, 25)))));
    expect(fake.most.sendsOfPartition).toBe(1);
    expect(Math.max(...fake.sends.map(({ records }) => records))).toBe(7);
    for (const [partition, records] of fake.stored.entries()) {
      for (const { deviceId } of records.map(messageOf)) expect(partitionOf(deviceId, 3)).toBe(partition);
    }
    expect(fake.stored.flat()).toHaveLength(500);
    expect(log.stats()).toMatchObject({ readingsInFlight: 0, sends: fake.sends.length, failedSends: 0 });
  });

  it("lets small appends share a send", async () => {
    const { fake, log } = openLog({ lingerMs: 20 }, 1);
    await Promise.all(messages("a", 50).map((one) => log.append(batchOf([one]))));
    expect(fake.sends).toEqual([{ partition: 0, records: 50 }]);
  });

  it("does not delay a send unless the one before has just begun", async () => {
    const { fake, log } = openLog({ lingerMs: 60_000 }, 1);
    await log.append(batchOf(messages("a", 3)));
    const next = log.append(batchOf(messages("a", 3, 3))).catch(() => {});
    expect(fake.sends).toEqual([{ partition: 0, records: 3 }]);
    await log.close();
    await next;
  });

  it("does not delay a full send", async () => {
    const { fake, log } = openLog({ lingerMs: 60_000, sendRecordsMax: 10 }, 1);
    await log.append(batchOf(messages("a", 10)));
    expect(fake.stored.flat()).toHaveLength(10);
    const rest = log.append(batchOf(messages("a", 4, 10)));
    const full = log.append(batchOf(messages("a", 6, 14)));
    await Promise.all([rest, full]);
    expect(fake.sends).toEqual([
      { partition: 0, records: 10 },
      { partition: 0, records: 10 },
    ]);
  });

  it("sends unacknowledged rows again before later ones of that partition, and stores them once", async () => {
    const { fake, log } = openLog({ sendRecordsMax: 2 }, 1);
    fake.fate = ({ attempt }) => (attempt === 2 ? "refuse" : attempt === 3 ? "store-and-reject" : "store");
    await log.append(batchOf(messages("a", 6)));
    const times = keysOf(fake.stored[0] ?? []).map((key) => Number(key.slice(-4, -1)));
    expect(times).toEqual([0, 1, 2, 3, 4, 5]);
    expect(log.stats()).toMatchObject({ failedSends: 2, sends: 3 });
  });

  it("acknowledges an append only after each of its partitions", async () => {
    const { fake, log } = openLog();
    const devices = Array.from({ length: 12 }, (_, i) => `device-${i}`);
    const stuck = partitionOf("device-3", 3);
    fake.fate = ({ partition }) => (partition === stuck ? "hold" : "store");
    let answered = false;
    const append = log
      .append(batchOf(devices.flatMap((device) => messages(device, 2))))
      .then(() => (answered = true));
    await waitUntil(() => fake.stored.flat().length > 0 && fake.sends.length === 3);
    expect(answered).toBe(false);
    fake.release();
    await append;
    expect(readAll(fake)).toHaveLength(24);
  });

  it("does not delay other partitions when one fails", async () => {
    const { fake, log } = openLog();
    const failing = partitionOf("a", 3);
    const other = ["b", "c", "d"].find((device) => partitionOf(device, 3) !== failing) ?? "";
    fake.fate = ({ partition }) => (partition === failing ? "refuse" : "store");
    const stuck = log.append(batchOf(messages("a", 1)));
    await waitUntil(() => log.stats().failedSends > 2);
    await log.append(batchOf(messages(other, 1)));
    fake.fate = () => "store";
    await stuck;
  });

  it("continues with another producer when the broker does not know the first one any more", async () => {
    const { fake, log } = openLog({ sendRecordsMax: 2 }, 1);
    fake.fate = ({ attempt }) => (attempt === 2 ? "lose-producer" : "store");
    await log.append(batchOf(messages("a", 6)));
    const times = keysOf(fake.stored[0] ?? []).map((key) => Number(key.slice(-4, -1)));
    expect(times).toEqual([0, 1, 2, 3, 4, 5]);
    expect(log.stats()).toMatchObject({ failedSends: 1, sends: 3 });
  });
});
