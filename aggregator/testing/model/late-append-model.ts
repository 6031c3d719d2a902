import { type BatchChecks, createBatchChecks, isAfter } from "../../src/late-appends/batch-checks.ts";
import { createLateAppends, type LateWindow } from "../../src/late-appends/late-appends.ts";
import type { PartitionOffsets } from "../../src/log/log-access.ts";
import type { BatchProgress } from "../../src/window-job/window-job-progress.ts";
import type { createDatabaseModel } from "./database-model.ts";
import { type ModelBatch, type ModelRecord, modelSizes } from "./engines-model.ts";
import type { ModelRandom } from "./model-random.ts";
import type { LeftOut } from "./model-rules.ts";

const everything: PartitionOffsets = { get: () => Number.POSITIVE_INFINITY } as never;

/** The aggregator's check of what Spark dropped: it sees batches, reads the log, and marks windows. */
export function createLateAppendModel(options: {
  readonly records: readonly (readonly ModelRecord[])[];
  readonly database: ReturnType<typeof createDatabaseModel>;
  readonly random: ModelRandom;
  readonly leftOut: LeftOut | undefined;
  readonly leadMs: number;
  readonly provenMs: (batch: ModelBatch) => number | undefined;
}) {
  const { records, database, random, leftOut, leadMs } = options;
  let checkpoint = { sinceMs: 0, checked: new Map() as PartitionOffsets };
  let checks = createBatchChecks(checkpoint);
  let unchecked: number | undefined;

  /** The largest append time before an offset, as the log's index has it. */
  function newestBefore(from: PartitionOffsets): Map<number, number> {
    return new Map(
      [...from].flatMap(([partition, offset]) => {
        const before = records[partition]?.[offset - 1];
        return before ? [[partition, before.newestMs]] : [];
      }),
    );
  }

  function mark(ranges: BatchChecks["waiting"], frontierMs: number): void {
    const late = createLateAppends({
      ranges,
      sinceMs: checkpoint.sinceMs,
      ...modelSizes,
      newestMs: newestBefore(ranges[0]?.from ?? new Map()),
      leadMs: leftOut === "nolead" ? 0 : leadMs,
    });
    for (const [partition, list] of records.entries()) {
      const since = Math.min(...ranges.map(({ from }) => from.get(partition) ?? 0));
      const end = Math.max(...ranges.map(({ to }) => to.get(partition) ?? 0));
      for (let offset = since; offset < end; offset++) {
        const { arrivedMs, reading } = list[offset] as ModelRecord;
        const key = reading ? `${reading.device}|s|${new Date(reading.timestampMs).toISOString()}` : "tick";
        const [window] = late.windowsOf([{ partition, offset, arrivedMs, key }]);
        if (window) markOne(window, frontierMs);
      }
    }
  }

  function markOne({ deviceId, windowMs, arrivedMs }: LateWindow, frontierMs: number): void {
    database.markLate(Number(deviceId), windowMs, {
      firstMs: leftOut === "markcoarse" ? arrivedMs : 0,
      lastMs: leftOut === "marktime" ? arrivedMs : Math.max(arrivedMs, frontierMs),
    });
  }

  return {
    /** Sees a batch of Spark, or misses it. */
    see(batch: ModelBatch | undefined): void {
      if (!batch) return;
      const provenMs = leftOut === "noproof" ? batch.watermarkMs : options.provenMs(batch);
      unchecked = provenMs;
      if (random.next() < 0.2) return;
      const startOffsets = leftOut === "nogaps" ? new Map() : batch.startOffsets;
      checks.add({ ...batch, startOffsets } as BatchProgress, provenMs);
    },
    step(committed: PartitionOffsets, frontierMs: number): void {
      const [first] = checks.waiting;
      const isHandled = first && (leftOut === "marksoon" || !isAfter(first.to, committed));
      if (first && isHandled) {
        mark([first], frontierMs);
        checks.complete(1);
      }
      if (random.next() < 0.3) checkpoint = { ...checkpoint, checked: checks.checked };
    },
    /** Another aggregator continues from what was remembered. */
    takeOver(): void {
      checks = createBatchChecks(checkpoint);
    },
    startAnew(sinceMs: number, checked: PartitionOffsets): void {
      checkpoint = { sinceMs, checked };
      checks = createBatchChecks(checkpoint);
    },
    get checked() {
      return checks.checked;
    },
    /** Up to where the ticks need not wait. */
    get released() {
      return leftOut === "nohold" ? everything : checks.checked;
    },
    watermarkMs(committed: PartitionOffsets): number | undefined {
      if (leftOut === "nochecks") return unchecked;
      return checks.handledWatermarkMs(committed);
    },
  };
}
