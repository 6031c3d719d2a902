import type { Level } from "@devicemesh/proto";
import { checkpointPersistIntervalMs } from "../limits.ts";
import type { LogOffsets } from "../log/log-access.ts";
import type { Progress } from "../status/progress.ts";
import type { AggregatorStore } from "../store/aggregator-store.ts";
import type { WindowJob } from "../window-job/window-job.ts";
import type { BatchProgress } from "../window-job/window-job-progress.ts";
import { createBatchChecks, isAfter, type RangeCheck } from "./batch-checks.ts";
import { createLateAppends, type LogRecord } from "./late-appends.ts";
import { newestAppends } from "./newest-appends.ts";

/** Reads ranges of the messages topic. */
export type LogReader = {
  /**
   * Gives the records of the ranges, in the order of their partition, and waits for each call. Resolves when all
   * are read.
   * @throws Error if a range begins before what the log still has; and the client's errors.
   */
  read(
    ranges: readonly Pick<RangeCheck, "from" | "to">[],
    each: (records: readonly LogRecord[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
};

/**
 * Marks the windows of messages that Spark dropped because a broker's clock stepped back, and reports to `progress`
 * which batches are checked. `add` takes each batch; `step` is to be called again and again, never two at once.
 */
export function createLateAppendsStep(dependencies: {
  readonly progress: Progress;
  readonly job: Pick<WindowJob, "state">;
  readonly offsets: Pick<LogOffsets, "committedMessages" | "messageOffsetsAt">;
  readonly reader: LogReader;
  readonly store: Pick<
    AggregatorStore,
    "readCheckpoint" | "rememberChecked" | "readFrontier" | "publishFrontier" | "markLateAppends"
  >;
  /** Ms since 1970. */
  readonly clock: () => number;
}) {
  const { progress, job, offsets, reader, store, clock } = dependencies;
  const { windowMs, segmentMs } = progress.levels[0] as Level;
  let sinceMs = 0;
  let early: (readonly [BatchProgress, number | undefined])[] = [];
  let persistedAtMs = clock();

  /** Batches are checked from where the last aggregator was. */
  async function open(): Promise<void> {
    const checkpoint = await store.readCheckpoint(job.state().checkpoint);
    if (!checkpoint) return;
    const checked = checkpoint.checked ?? checkpoint.startingOffsets;
    sinceMs = checkpoint.sinceMs;
    progress.checks = createBatchChecks({ checked, sinceMs });
    for (const [batch, provenMs] of early) progress.checks.add(batch, provenMs);
    early = [];
  }

  /** A gap alone, or the known batches up to the next gap: as far as the sink has handled them. */
  function nextRanges(waiting: readonly RangeCheck[], committed: ReadonlyMap<number, number>) {
    const isHandled = ({ to }: RangeCheck): boolean => !isAfter(to, committed);
    if (waiting[0]?.isGap) return waiting.slice(0, 1).filter(isHandled);
    const end = waiting.findIndex((range) => range.isGap || !isHandled(range));
    return end < 0 ? waiting : waiting.slice(0, end);
  }

  /** No coarse level may pass for pure of everything: it lacks the messages too, and its windows are not repaired. */
  async function leaveCoarseLevels(): Promise<void> {
    if (progress.coarsePureSinceMs === undefined || progress.coarsePureSinceMs > 0) return;
    await store.publishFrontier({ coarsePureSinceMs: 1 });
    progress.coarsePureSinceMs = 1;
  }

  async function mark(ranges: readonly RangeCheck[], signal: AbortSignal): Promise<void> {
    const [first] = ranges;
    const newestMs = first?.isGap
      ? await newestAppends(first.from, offsets.messageOffsetsAt)
      : new Map<number, number>();
    const late = createLateAppends({ ranges, sinceMs, windowMs, segmentMs, newestMs });
    await reader.read(
      ranges,
      async (records) => {
        const windows = late.windowsOf(records);
        if (windows.length === 0) return;
        // Read after the sink was past them: a repair that lacks them was made at this frontier or before.
        const { frontiersMs } = await store.readFrontier();
        await leaveCoarseLevels();
        await store.markLateAppends(windows, frontiersMs[0] ?? 0);
        progress.lateWindows += windows.length;
      },
      signal,
    );
  }

  return {
    /** `provenMs` is what the ticks prove of the batch: see WatermarkProof. */
    add(batch: BatchProgress, provenMs: number | undefined): void {
      if (progress.checks) progress.checks.add(batch, provenMs);
      // What is too old to be kept is read as a gap.
      else early = [...early, [batch, provenMs] as const].slice(-100);
    },
    async step(signal: AbortSignal): Promise<void> {
      if (!progress.checks) await open();
      const { checks } = progress;
      if (!checks) return;
      // Until it is known since when the coarse levels are pure, nothing can be taken out of them.
      const isPurityKnown = progress.levels.length < 2 || progress.coarsePureSinceMs !== undefined;
      if (checks.waiting.length > 0 && isPurityKnown) {
        const ranges = nextRanges(checks.waiting, await offsets.committedMessages());
        if (ranges.length > 0) {
          await mark(ranges, signal);
          if (signal.aborted) return;
          checks.complete(ranges.length);
          persistedAtMs = Number.NEGATIVE_INFINITY;
        }
      }
      if (clock() - persistedAtMs < checkpointPersistIntervalMs) return;
      await store.rememberChecked(job.state().checkpoint, checks.checked);
      persistedAtMs = clock();
    },
  };
}
