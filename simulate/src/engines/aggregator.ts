import { createLateAppendsStep } from "@devicemesh/aggregator/late-appends/late-appends-step";
import { newestAppends } from "@devicemesh/aggregator/late-appends/newest-appends";
import { stepFrontier } from "@devicemesh/aggregator/levels/frontier-step";
import { createRepairStep, stepLevels } from "@devicemesh/aggregator/levels/maintenance-step";
import type { LogOffsets, PartitionOffsets } from "@devicemesh/aggregator/log/log-access";
import { createLogEnd } from "@devicemesh/aggregator/log/log-end";
import { createWatermarkProof } from "@devicemesh/aggregator/log/proven-watermark";
import { stepTicks } from "@devicemesh/aggregator/log/tick-step";
import { createTickMemory } from "@devicemesh/aggregator/log/ticks";
import { createProgress, type Progress } from "@devicemesh/aggregator/status/progress";
import type { MeshSettings } from "@devicemesh/aggregator/store/aggregator-store";
import type { BatchProgress } from "@devicemesh/aggregator/window-job/window-job-progress";
import { identityOf } from "@devicemesh/proto";
import type { SimulatedDatabase } from "./database.ts";
import type { AppendedTick, SimulatedLog } from "./log.ts";
import { sensor } from "./partials.ts";
import type { SampleRecord } from "./sample-records.ts";

/** The one checkpoint of the window job. */
export const checkpoint = "simulated";

/** An aggregator that is the leader: the steps of the real one, in its order. */
export type SimulatedAggregator = {
  readonly progress: Progress;
  addBatch(batch: BatchProgress): void;
  /** Takes the ticks that the log has just appended, and does what the real one does about once a second. */
  step(round: { readonly ticks: readonly AppendedTick[]; readonly lost: readonly number[] }): Promise<void>;
};

type LogReading = Pick<
  LogOffsets,
  "committedMessages" | "messageEnds" | "messageOffsetsAt" | "ends" | "committed"
>;

/** Becomes the leader: knows only what is published and what the log reports. */
export async function startAggregator(options: {
  readonly settings: MeshSettings;
  readonly database: SimulatedDatabase;
  readonly log: SimulatedLog;
  readonly offsets: LogReading;
  readonly clock: () => number;
}): Promise<SimulatedAggregator> {
  const { settings, database, log, offsets, clock } = options;
  const progress = createProgress(settings, await database.readFrontier(), clock());
  const newestMs = await newestAppends(await offsets.messageEnds(), offsets.messageOffsetsAt);
  const ticks = createTickMemory({ partitions: settings.partitions, clockSkewMs: 0, newestMs });
  const proof = createWatermarkProof({ partitions: settings.partitions, clockSkewMs: 0 });
  const logEnd = createLogEnd(progress.logEndMs);
  const stepRepairs = createRepairStep({ progress, store: database, clock });
  const lateAppends = createLateAppendsStep({
    progress,
    job: { state: () => ({ kind: "running", withoutBatchMs: 0, restarts: 0, checkpoint }) },
    offsets,
    reader: {
      async read(ranges, each) {
        for (let partition = 0; partition < log.partitions; partition++) {
          const records = samplesOf(log, partition, ranges);
          if (records.length > 0) await each(records.map((record) => asLogRecord(partition, record)));
        }
      },
    },
    store: database,
    clock,
  });
  const { signal } = new AbortController();

  return {
    progress,
    addBatch: (batch) => lateAppends.add(batch, proof.provenMs(batch)),
    async step(round) {
      const ticksLog = { appendRound: async () => round };
      await stepTicks({ progress, ticks, proof, logEnd, log: ticksLog, clock });
      await lateAppends.step(signal);
      await stepFrontier({ progress, ticks, offsets, store: database, clock }, signal);
      await stepLevels({ progress, store: database }, signal);
      await stepRepairs(signal);
    },
  };
}

function samplesOf(
  log: SimulatedLog,
  partition: number,
  ranges: readonly { readonly from: PartitionOffsets; readonly to: PartitionOffsets }[],
): readonly SampleRecord[] {
  const since = Math.min(...ranges.map(({ from }) => from.get(partition) ?? 0));
  const end = Math.max(...ranges.map(({ to }) => to.get(partition) ?? 0));
  return log.samplesBetween(partition, since, end);
}

function asLogRecord(partition: number, { deviceId, timestampMs, offset, arrivedMs }: SampleRecord) {
  return { partition, offset, arrivedMs, key: identityOf({ deviceId, sensor, timestampMs }) };
}
