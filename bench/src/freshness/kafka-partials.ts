import { type ChainNames, connectorGroup } from "@devicemesh/pipeline";
import { createKafka } from "@devicemesh/pipeline/kafka-client";
import type { SegmentPartials } from "./hops.ts";

/** The topic of partials, and its sink, for observation. */
export type PartialsTopic = AsyncDisposable & {
  /** Returns the offsets that the sink has committed, by partition. */
  committed(): Promise<ReadonlyMap<number, number>>;
  /** Returns the partials of each segment so far, by its end. */
  segments(): ReadonlyMap<number, SegmentPartials>;
};

/** Begins to read the topic from its end. */
export async function followPartials(options: {
  readonly brokers: readonly string[];
  readonly names: ChainNames;
  readonly segmentMs: number;
}): Promise<PartialsTopic> {
  const { brokers, names, segmentMs } = options;
  const kafka = createKafka({ brokers, clientId: "devicemesh-bench" });
  const topic = names.topics.windows;
  const groupId = connectorGroup(names.connectors.windows);
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: `${topic}-freshness`, maxWaitTimeInMs: 100 });
  const found = new Map<number, { appendedMs: number; readonly ends: Map<number, number> }>();
  await using opening = new AsyncDisposableStack();
  opening.defer(() => admin.disconnect());
  opening.defer(() => consumer.disconnect());
  await admin.connect();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: false });
  await consumer.run({
    async eachBatch({ batch }) {
      for (const { value, timestamp, offset } of batch.messages) {
        const { segment_start } = JSON.parse(String(value)) as { readonly segment_start: number };
        const endMs = segment_start + segmentMs;
        const segment = found.get(endMs) ?? { appendedMs: 0, ends: new Map() };
        segment.appendedMs = Math.max(segment.appendedMs, Number(timestamp));
        segment.ends.set(batch.partition, Number(offset) + 1);
        found.set(endMs, segment);
      }
    },
  });
  const opened = opening.move();
  return {
    async committed() {
      const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
      return new Map(offsets?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    },
    segments: () => found,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
