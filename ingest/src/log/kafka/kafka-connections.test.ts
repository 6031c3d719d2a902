import { Connection, metadataV9 } from "@platformatic/kafka";
import { describe, expect, it } from "vitest";
import { type FakeBrokers, startFakeBrokers } from "../../../testing/fake-brokers.ts";
import { batchOf, seriesOf } from "../../../testing/message-log.contract.ts";
import { createProduceRequests } from "./kafka-connections.ts";
import { createRecordBatchWriter, setBatchProducer } from "./kafka-record-batch.ts";
import { createLogDevices } from "./log-devices.ts";

const devices = createLogDevices({ partitions: 1 });

/** A batch of the first rows of a device; its producer is 0. */
function batch(rows: number, sequence = 0): Buffer {
  const writer = createRecordBatchWriter({ recordsMax: 10_000, bytesMax: 960 * 1024 });
  const messages = batchOf(seriesOf("a", rows));
  for (let row = 0; row < rows; row++) writer.add(messages, row, devices.of("a"));
  const bytes = writer.finish(0);
  setBatchProducer(bytes, { id: 0n, epoch: 0, sequence });
  return bytes;
}

async function connect({ addresses }: FakeBrokers, requestTimeoutMs = 10_000) {
  const connection = new Connection("test", {});
  const [host = "", port] = addresses[0]?.split(":") ?? [];
  await connection.connect(host, Number(port));
  const requests = createProduceRequests(connection, {
    clientId: "test",
    topic: "t",
    requestTimeoutMs,
    replicasTimeoutMs: 1000,
  });
  return { connection, requests, [Symbol.asyncDispose]: async () => void (await connection.close()) };
}

describe("the produce requests of a connection", () => {
  it("contain the batches of several partitions, small and large", async () => {
    await using brokers = await startFakeBrokers({ topic: "t", partitions: 2, brokers: 1 });
    await using test = await connect(brokers);
    const answer = await test.requests.send([
      { partition: 0, batch: batch(3) },
      { partition: 1, batch: batch(4000) },
    ]);
    expect([...answer.errors]).toEqual([
      [0, undefined],
      [1, undefined],
    ]);
    expect(brokers.store.stored.map(({ length }) => length)).toEqual([3, 4000]);
  });

  it("leave responses to other requests to the client", async () => {
    await using brokers = await startFakeBrokers({ topic: "t", partitions: 1, brokers: 1 });
    await using test = await connect(brokers);
    brokers.delayMs = 20;
    const [first, metadata, second] = await Promise.all([
      test.requests.send([{ partition: 0, batch: batch(3) }]),
      metadataV9.api.async(test.connection, ["t"], false, false, false),
      test.requests.send([{ partition: 0, batch: batch(2, 3) }]),
    ]);
    expect([first, second].map(({ errors }) => [...errors])).toEqual([[[0, undefined]], [[0, undefined]]]);
    expect(metadata.topics.map(({ name }) => name)).toEqual(["t"]);
  });

  it("are all rejected when one is not answered in time, and the connection is closed", async () => {
    await using brokers = await startFakeBrokers({ topic: "t", partitions: 2, brokers: 1 });
    await using test = await connect(brokers, 100);
    brokers.fate = () => "store and stay silent";
    const sent = [0, 1].map((partition) => test.requests.send([{ partition, batch: batch(3) }]));
    const outcomes = await Promise.allSettled(sent);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(test.connection.socket.destroyed).toBe(true);
    await expect(test.requests.send([{ partition: 0, batch: batch(3) }])).rejects.toThrow("closed");
  });

  it("are rejected when the broker closes the connection", async () => {
    await using brokers = await startFakeBrokers({ topic: "t", partitions: 1, brokers: 1 });
    await using test = await connect(brokers);
    brokers.fate = () => "store and cut";
    await expect(test.requests.send([{ partition: 0, batch: batch(3) }])).rejects.toThrow("closed");
  });
});
