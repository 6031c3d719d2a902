import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { covers, createKafkaTopic } from "./kafka-topic.ts";

const answer = { topicName: "t", partition: 1, errorCode: 0, baseOffset: "7" };

describe("the answer to a send", () => {
  it("covers the partition that it names, without an error, with an offset", () => {
    expect(covers([answer], { topic: "t", partition: 1 })).toBe(true);
    expect(covers([{ ...answer, partition: 0 }, answer], { topic: "t", partition: 1 })).toBe(true);
  });

  it.each([
    ["is empty", []],
    ["has nothing in it", [null]],
    ["names another partition", [{ ...answer, partition: 0 }]],
    ["names another topic", [{ ...answer, topicName: "u" }]],
    ["tells an error", [{ ...answer, errorCode: 6 }]],
    ["has no offset", [{ topicName: "t", partition: 1, errorCode: 0 }]],
    ["has the offset of nothing", [{ ...answer, baseOffset: "-1" }]],
  ])("covers nothing when it %s", (_, metadata) => {
    expect(covers(metadata, { topic: "t", partition: 1 })).toBe(false);
  });
});

describe("a topic of brokers that are not there", () => {
  // Nothing listens on port 1.
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
    await expect(topic.send(0, [])).rejects.toMatchObject(refusal);
    await topic.close();
  });

  it("can be closed at any time, twice", async () => {
    const topic = open();
    const asked = topic.describe();
    const closed = topic.close();
    expect(topic.close()).toBe(closed);
    await expect(asked).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await closed;
    await expect(topic.send(0, [])).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});

describe("a topic of brokers that take connections and answer nothing", () => {
  it("rejects what it is asked in time, and can be closed", async () => {
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
    const startMs = performance.now();
    await expect(topic.describe()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(topic.send(0, [])).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(performance.now() - startMs).toBeLessThan(10_000);
    expect(sockets.size).toBeGreaterThan(0);
    await topic.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});
