import type { Logger } from "@devicemesh/kit/observability/logger";
import type { ChainNames } from "@devicemesh/pipeline";
import { alignDown, type Level } from "@devicemesh/proto";
import { createLateAppendsStep, type LogReader } from "./late-appends/late-appends-step.ts";
import { newestAppends } from "./late-appends/newest-appends.ts";
import { stepFrontier } from "./levels/frontier-step.ts";
import { createRepairStep, stepLevels } from "./levels/maintenance-step.ts";
import type { LogOffsets, TickLog } from "./log/log-access.ts";
import { createLogEnd } from "./log/log-end.ts";
import { createWatermarkProof } from "./log/proven-watermark.ts";
import { stepTicks } from "./log/tick-step.ts";
import { nextTickDelayMs } from "./log/tick-times.ts";
import { createTickMemory } from "./log/ticks.ts";
import type { Loop } from "./loop.ts";
import { findProblems } from "./status/problems.ts";
import { createProgress, type Progress } from "./status/progress.ts";
import { startReportedLoop } from "./status/reported-loop.ts";
import { jobLag, statusDocument } from "./status/status.ts";
import type { AggregatorStore, CheckpointStart, MeshSettings } from "./store/aggregator-store.ts";
import { newCheckpointStart } from "./window-job/checkpoint-start.ts";
import { isSegmentDue } from "./window-job/segment-due.ts";
import type { WindowJob } from "./window-job/window-job.ts";
import type { BatchProgress } from "./window-job/window-job-progress.ts";

/** The intervals of the loops, in ms; `hurry` is that of the frontier while a segment has just been closed. */
export type LoopIntervals = Readonly<
  Record<"ticks" | "frontier" | "hurry" | "maintenance" | "status", number>
>;

const loopIntervals: LoopIntervals = {
  ticks: 1000,
  frontier: 500,
  hurry: 100,
  maintenance: 1000,
  status: 2000,
};

/** The sinks take a segment's partials within this time, unless they are behind; then nothing hurries. */
const hurryMs = 3000;

/** Starts the window job. */
export type StartWindowJob = (options: {
  readonly names: ChainNames;
  readonly settings: MeshSettings;
  /** Returns where a new checkpoint starts to fold; the same for the same identity. */
  readonly sinceOf: (checkpointIdentity: string) => Promise<CheckpointStart>;
  /** Whether the log has messages that the job has not read. */
  readonly isLogAhead: () => boolean;
  /** Whether a batch that closes a segment is expected, by the last known watermark. */
  readonly isSegmentDue: (watermarkMs: number | undefined) => boolean;
  /** Called with each observed batch. */
  readonly onBatch?: ((batch: BatchProgress) => void) | undefined;
}) => WindowJob;

/** The dependencies of the leader. The caller owns them, except the job. */
export type ActiveDependencies = {
  readonly names: ChainNames;
  readonly settings: MeshSettings;
  readonly clockSkewMs: number;
  readonly holder: string;
  readonly store: AggregatorStore;
  readonly ticks: TickLog;
  readonly offsets: LogOffsets;
  readonly logReader: LogReader;
  readonly startWindowJob: StartWindowJob;
  readonly onBatch?: ((batch: BatchProgress) => void) | undefined;
  readonly logger: Logger;
  /** Ms since 1970. */
  readonly clock: () => number;
  readonly intervals?: Partial<LoopIntervals>;
};

/** The leader: ticks, frontiers, folds, repairs, and the window job. */
export type ActiveAggregator = AsyncDisposable & {
  readonly progress: Progress;
  readonly job: WindowJob;
  /** Number of records of the log that the job has not read, as last observed. */
  lag(): number;
  problems(): string[];
};

/**
 * Starts all work that only the leader may do. Disposing ends it and leaves the query running in Spark for the next
 * leader.
 * @throws the error of the database, the log or Spark.
 */
export async function startActive(dependencies: ActiveDependencies): Promise<ActiveAggregator> {
  const { settings, store, offsets, logger, clock, clockSkewMs } = dependencies;
  const intervalsMs = { ...loopIntervals, ...dependencies.intervals };
  const { segmentMs } = settings.levels[0] as Level;
  await using starting = new AsyncDisposableStack();
  const published = await store.readFrontier();
  const progress = createProgress(settings, published, clock());
  const newestMs = await newestAppends(await offsets.messageEnds(), offsets.messageOffsetsAt);
  let lag = 0;
  let hurryUntilMs = 0;
  const add = (batch: BatchProgress): void => {
    lateAppends.add(batch, proof.provenMs(batch));
    if (alignDown(batch.watermarkMs ?? 0, segmentMs) > progress.frontier.frontierMs) {
      hurryUntilMs = performance.now() + hurryMs;
      lateAppendsLoop.wake();
    }
    dependencies.onBatch?.(batch);
  };
  const job = starting.use(
    dependencies.startWindowJob({
      names: dependencies.names,
      settings,
      sinceOf: (identity) => store.rememberCheckpoint(identity, () => newCheckpointStart({ store, offsets })),
      isLogAhead: () => lag > 0,
      isSegmentDue: (watermarkMs) =>
        isSegmentDue({ logMs: clock() + progress.logAheadMs - clockSkewMs, watermarkMs, segmentMs }),
      onBatch: add,
    }),
  );
  const lateAppends = createLateAppendsStep({
    progress,
    job,
    offsets,
    reader: dependencies.logReader,
    store,
    clock,
  });
  const ticks = createTickMemory({
    partitions: settings.partitions,
    clockSkewMs,
    newestMs,
  });
  const proof = createWatermarkProof({ partitions: settings.partitions, clockSkewMs });
  const logEnd = createLogEnd(published.logEndMs);
  const stepRepairs = createRepairStep({ progress, store, clock });
  const problems = (): string[] => findProblems({ progress, job, nowMs: clock() });

  const run = (
    name: string,
    intervalMs: number,
    step: (signal: AbortSignal) => Promise<void>,
    more: { readonly dueInMs?: () => number; readonly onSuccess?: () => void } = {},
  ): Loop => starting.use(startReportedLoop({ name, intervalMs, step, ...more, progress, logger }));
  const isHurried = (): boolean => performance.now() < hurryUntilMs;
  run(
    "ticks",
    intervalsMs.ticks,
    () => stepTicks({ progress, ticks, proof, logEnd, log: dependencies.ticks, clock }),
    {
      dueInMs: () =>
        nextTickDelayMs({
          nowMs: clock(),
          logAheadMs: progress.logAheadMs,
          clockSkewMs,
          intervalMs: intervalsMs.ticks,
          segmentMs,
        }),
    },
  );
  const frontierLoop = run(
    "frontier",
    intervalsMs.frontier,
    async (signal) => {
      const { frontierMs } = progress.frontier;
      await stepFrontier({ progress, ticks, offsets, store, clock }, signal);
      if (progress.frontier.frontierMs > frontierMs) hurryUntilMs = 0;
    },
    { dueInMs: () => (isHurried() ? intervalsMs.hurry : intervalsMs.frontier) },
  );
  const lateAppendsLoop = run("late appends", intervalsMs.frontier, (signal) => lateAppends.step(signal), {
    onSuccess() {
      if (isHurried()) frontierLoop.wake();
    },
  });
  run("levels", intervalsMs.maintenance, (signal) => stepLevels({ progress, store }, signal));
  run("repairs", intervalsMs.maintenance, (signal) => stepRepairs(signal));
  run("status", intervalsMs.status, async () => {
    lag = jobLag(job.progress(), await offsets.messageEnds());
    await store.writeStatus(
      statusDocument({ job, lag, holder: dependencies.holder, problems: problems(), nowMs: clock() }),
    );
  });
  const running = starting.move();
  return {
    progress,
    job,
    lag: () => lag,
    problems,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
