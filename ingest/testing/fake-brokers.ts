import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Reader, Writer } from "@platformatic/kafka";
import { createPartitionStore, type PartitionStore, readBatch } from "./record-batches.ts";

/** What the leader of a partition does with a batch, controlled by the test. */
export type BatchFate =
  | "store"
  /** Stores it, and breaks the connection before it answers. */
  | "store and cut"
  /** Stores it, and never answers. */
  | "store and stay silent"
  /** Stores it, and leaves the partition out of the answer. */
  | "store and leave out"
  /** Stores it, and answers without an offset. */
  | "store without offset"
  /** Answers with this protocol code; stores nothing by default. */
  | { readonly error: number; readonly stores?: boolean };

/** Brokers that implement the part of Kafka's protocol that the log of ingest needs, on ports of this machine. */
export type FakeBrokers = AsyncDisposable & {
  readonly addresses: readonly string[];
  readonly store: PartitionStore;
  /** The leader of each partition; -1 for none. Other brokers answer NOT_LEADER_OR_FOLLOWER. */
  readonly leaders: number[];
  /** Each produce request: the broker, and the partitions in it. */
  readonly requests: readonly { readonly broker: number; readonly partitions: readonly number[] }[];
  /** Decides about batches; called for each. */
  fate: (batch: { readonly broker: number; readonly partition: number }) => BatchFate;
  /** Delay that responses to produce requests require of clients, in ms. */
  throttleMs: number;
  /** Duration of produce requests, in ms. */
  delayMs: number;
};

const [produceKey, metadataKey, producerKey] = [0, 3, 22];

/** Starts brokers of one topic. */
export async function startFakeBrokers(options: {
  readonly topic: string;
  readonly partitions: number;
  readonly brokers: number;
}): Promise<FakeBrokers> {
  const { topic, partitions } = options;
  const store = createPartitionStore(partitions);
  const leaders = Array.from({ length: partitions }, (_, partition) => partition % options.brokers);
  const requests: { broker: number; partitions: number[] }[] = [];
  const sockets = new Set<Socket>();
  let offset = 0n;
  let producers = 0n;

  function metadata(): Writer {
    return Writer.create()
      .appendInt32(0)
      .appendArray(servers, (writer, server, nodeId) => {
        const { port } = server.address() as AddressInfo;
        writer.appendInt32(nodeId).appendString("127.0.0.1").appendInt32(port).appendString(null);
      })
      .appendString("fake")
      .appendInt32(0)
      .appendArray([topic], (writer, name) => {
        writer.appendInt16(0).appendString(name).appendBoolean(false);
        writer.appendArray(leaders, (entry, leader, partition) => {
          entry
            .appendInt16(leader < 0 ? 5 : 0)
            .appendInt32(partition)
            .appendInt32(leader)
            .appendInt32(0);
          for (const ids of [[leader], [leader], []]) {
            entry.appendArray(ids, (id, value) => id.appendInt32(value), true, false);
          }
        });
        writer.appendInt32(0);
      })
      .appendInt32(0)
      .appendTaggedFields();
  }

  function producer(): Writer {
    return Writer.create()
      .appendInt32(0)
      .appendInt16(0)
      .appendInt64(producers++)
      .appendInt16(0)
      .appendTaggedFields();
  }

  function append(broker: number, partition: number, bytes: Buffer): BatchFate {
    if (leaders[partition] !== broker) return { error: 6 };
    const fate = brokers.fate({ broker, partition });
    if (typeof fate === "object" && !fate.stores) return fate;
    const outcome = store.append(partition, readBatch(bytes));
    return outcome === "appended" ? fate : { error: 45 };
  }

  /** The response to a produce request; undefined if there is none. */
  function produce(broker: number, reader: Reader): Writer | "cut" | undefined {
    reader.readNullableString();
    if (reader.readInt16() !== -1) throw new Error("acks is not all");
    reader.readInt32();
    const fates = new Map<number, BatchFate>();
    reader.readArray((ofTopic) => {
      ofTopic.readString();
      ofTopic.readArray((entry) => {
        const partition = entry.readInt32();
        fates.set(partition, append(broker, partition, entry.readBytes()));
      });
    });
    requests.push({ broker, partitions: [...fates.keys()] });
    const all = [...fates.values()];
    if (all.includes("store and cut")) return "cut";
    if (all.includes("store and stay silent")) return undefined;
    const reported = [...fates].filter(([, fate]) => fate !== "store and leave out");
    return Writer.create()
      .appendArray([topic], (writer, name) => {
        writer.appendString(name).appendArray(reported, (entry, [partition, fate]) => {
          const error = typeof fate === "object" ? fate.error : 0;
          const isProven = error === 0 && fate !== "store without offset";
          entry
            .appendInt32(partition)
            .appendInt16(error)
            .appendInt64(isProven ? offset++ : -1n);
          entry
            .appendInt64(0n)
            .appendInt64(0n)
            .appendArray([], () => {})
            .appendString(null);
        });
      })
      .appendInt32(brokers.throttleMs)
      .appendTaggedFields();
  }

  async function answer(broker: number, socket: Socket, request: Buffer): Promise<void> {
    const reader = Reader.from(request);
    const key = reader.readInt16();
    reader.readInt16();
    const head = Writer.create().appendInt32(reader.readInt32());
    reader.readNullableString(false);
    reader.readTaggedFields();
    const body =
      key === metadataKey ? metadata() : key === producerKey ? producer() : produce(broker, reader);
    if (body === undefined) return;
    if (key === produceKey && brokers.delayMs > 0) await delay(brokers.delayMs);
    if (body === "cut") socket.destroy();
    else socket.write(head.appendTaggedFields().appendFrom(body).prependLength().buffer);
  }

  async function serve(broker: number): Promise<Server> {
    const server = createServer((socket) => {
      sockets.add(socket);
      let bytes = Buffer.alloc(0);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
      socket.on("data", (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
        while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
          const end = 4 + bytes.readInt32BE(0);
          void answer(broker, socket, bytes.subarray(4, end));
          bytes = bytes.subarray(end);
        }
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  }

  const servers = await Promise.all(Array.from({ length: options.brokers }, (_, broker) => serve(broker)));
  const brokers: FakeBrokers = {
    addresses: servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`),
    store,
    leaders,
    requests,
    fate: () => "store",
    throttleMs: 0,
    delayMs: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      for (const server of servers) server.close();
    },
  };
  return brokers;
}
