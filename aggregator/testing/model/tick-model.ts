import type { PartitionOffsets } from "../../src/log/log-access.ts";
import { createWatermarkProof } from "../../src/log/proven-watermark.ts";
import { createTickMemory, type Tick } from "../../src/log/ticks.ts";
import type { ModelBatch } from "./engines-model.ts";
import type { ModelRandom } from "./model-random.ts";

/** What the aggregator concludes from its ticks: about the sink of messages, and about Spark. */
export function createTickModel(options: {
  readonly partitions: number;
  readonly leadMs: number;
  readonly random: ModelRandom;
  readonly newestMs: () => ReadonlyMap<number, number>;
}) {
  const { partitions, leadMs, random } = options;
  const newMemories = () => ({
    sink: createTickMemory({
      partitions,
      clockSkewMs: 0,
      newestMs: options.newestMs(),
      ticksMax: random.pick([4, 40]),
    }),
    spark: createWatermarkProof({ partitions, clockSkewMs: 0, leadMs }),
  });
  let { sink, spark } = newMemories();
  return {
    add(round: readonly Tick[]): void {
      sink.add(round);
      spark.add(round);
    },
    completeThroughMs: (committed: PartitionOffsets, released: PartitionOffsets) =>
      sink.completeThroughMs(committed, released),
    provenMs: (batch: ModelBatch) => spark.provenMs(batch),
    /** Another aggregator knows none of them. */
    takeOver(): void {
      ({ sink, spark } = newMemories());
    },
  };
}
