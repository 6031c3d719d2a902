import { unavailable } from "@devicemesh/kit/rpc/rpc-error";
import type { PartitionedTopic } from "../src/log/kafka/partitioned-topic.ts";
import { createPartitionStore, type MessageRecord, type ReadBatch, readBatch } from "./record-batches.ts";

/** What a fake topic does with a send, controlled by the test. */
export type SendFate =
  | "store"
  /** Stores nothing and rejects. */
  | "refuse"
  /** Stores everything and rejects: the response was lost. */
  | "store-and-reject"
  /** Waits for `release`, then stores. */
  | "hold"
  /** Stores nothing: the producer is lost. */
  | "lose-producer";

/**
 * A topic in memory, for tests, with controllable failures. It checks batches like a broker: the next sequence of their
 * producer is stored, a repeated one is not.
 */
export type FakeTopic = {
  readonly topic: PartitionedTopic;
  /** The contents of each partition, in order. */
  readonly stored: readonly (readonly MessageRecord[])[];
  /** The partition and size of each send, in order. */
  readonly sends: readonly { readonly partition: number; readonly records: number }[];
  /** The maximum number of concurrent sends to one partition, and of records in flight over all of them. */
  readonly most: { readonly sendsOfPartition: number; readonly records: number };
  /** Decides about sends; called for each. */
  fate: (send: { readonly partition: number; readonly attempt: number }) => SendFate;
  /** The result of `describe`; undefined if it is unreachable. */
  state: { readonly partitions: number; readonly leaderless: readonly number[] } | undefined;
  /** Number of requests for its state. */
  readonly describes: number;
  /** Lets held sends continue. */
  release(): void;
  readonly closed: boolean;
};

type Outcome = Awaited<ReturnType<PartitionedTopic["send"]>>;

/** Creates a topic that accepts everything by default; one that does not exist if `exists` is false. */
export function createFakeTopic({
  partitions = 3,
  exists = true,
}: {
  readonly partitions?: number;
  readonly exists?: boolean;
} = {}): FakeTopic {
  const store = createPartitionStore(partitions);
  const { stored } = store;
  const sends: { partition: number; records: number }[] = [];
  const flying = new Map<number, number>();
  const held = new Set<() => void>();
  const most = { sendsOfPartition: 0, records: 0 };
  let recordsFlying = 0;
  let describes = 0;
  let closed = false;

  let openedProducers = 0n;

  async function send(partition: number, batch: ReadBatch): Promise<Outcome> {
    sends.push({ partition, records: batch.records.length });
    const fate = fake.fate({ partition, attempt: sends.length });
    // So that overlapping sends are detected.
    if (fate === "hold") await new Promise<void>((resolve) => held.add(resolve));
    else await new Promise((resolve) => setImmediate(resolve));
    if (fate === "lose-producer") {
      store.forgetProducers();
      return "producer lost";
    }
    const outcome = fate === "refuse" ? undefined : store.append(partition, batch);
    if (outcome === undefined || fate === "store-and-reject") throw rejection();
    return outcome;
  }

  const fake: FakeTopic & { state: FakeTopic["state"] } = {
    topic: {
      async describe() {
        describes++;
        if (fake.state === undefined) throw rejection();
        return fake.state;
      },
      async openProducer() {
        if (fake.state === undefined) throw rejection();
        return { id: openedProducers++, epoch: 0 };
      },
      async send(partition, bytes) {
        // The memory of the batch is used again afterwards.
        const batch = readBatch(Buffer.from(bytes));
        const { records } = batch;
        flying.set(partition, (flying.get(partition) ?? 0) + 1);
        recordsFlying += records.length;
        most.sendsOfPartition = Math.max(most.sendsOfPartition, flying.get(partition) ?? 0);
        most.records = Math.max(most.records, recordsFlying);
        try {
          return await send(partition, batch);
        } finally {
          flying.set(partition, (flying.get(partition) ?? 0) - 1);
          recordsFlying -= records.length;
        }
      },
      async close() {
        closed = true;
      },
    },
    stored,
    sends,
    most,
    fate: () => "store",
    state: exists ? { partitions, leaderless: [] } : undefined,
    release() {
      for (const go of held) go();
      held.clear();
    },
    get describes() {
      return describes;
    },
    get closed() {
      return closed;
    },
  };
  return fake;
}

function rejection() {
  return unavailable({ message: "the fake topic is unavailable", retryDelayMs: 1 });
}
