import { frontierStepMaxMs } from "../limits.ts";
import type { LogOffsets } from "../log/log-access.ts";
import type { TickMemory } from "../log/ticks.ts";
import type { Progress } from "../status/progress.ts";
import type { AggregatorStore } from "../store/aggregator-store.ts";
import { aimedAt, movedTo, nextStep, proposedFrontier, reachedFrontier } from "./frontier.ts";

/**
 * Polls the pipeline once: publishes `complete_through` and moves the finest frontier if it may. Records its
 * observations in `progress`. Call it periodically, one call at a time.
 */
export async function stepFrontier(
  dependencies: {
    readonly progress: Progress;
    readonly ticks: TickMemory;
    readonly offsets: Pick<LogOffsets, "committedMessages" | "ends" | "committed">;
    readonly store: Pick<AggregatorStore, "publishFrontier" | "firstSegment" | "registerSeries">;
    /** This aggregator's own clock, ms since 1970. */
    readonly clock: () => number;
  },
  signal: AbortSignal,
): Promise<void> {
  const { progress, ticks, offsets, store, clock } = dependencies;
  const segmentMs = progress.levels[0]?.segmentMs as number;
  const handled = await offsets.committedMessages();
  const { checks } = progress;
  progress.observation = {
    // What is in partials must be stored too: by its place in the log, since a clock may have stepped back.
    watermarkMs: checks?.handledWatermarkMs(handled),
    completeThroughMs: ticks.completeThroughMs(handled, checks?.checked ?? new Map()),
  };
  const { completeThroughMs } = progress.observation;
  await store.publishFrontier({ completeThroughMs, logEndMs: progress.logEndMs });

  const toMs = proposedFrontier(progress.frontier, progress.observation, segmentMs);
  // The ends are read after watermark and complete_through: everything that those imply lies before the ends.
  if (toMs !== undefined) progress.frontier = aimedAt(progress.frontier, toMs, await offsets.ends());
  if (!progress.frontier.target) return;
  progress.committed = await offsets.committed();
  const reachedMs = reachedFrontier(progress.frontier, progress.committed);
  if (reachedMs === undefined) return;
  while (progress.frontier.frontierMs < reachedMs && !signal.aborted) {
    const { frontierMs } = progress.frontier;
    const firstMs = await store.firstSegment(0, frontierMs);
    const step = nextStep({ frontierMs, toMs: reachedMs, firstMs, stepMs: frontierStepMaxMs });
    if (step.sinceMs < step.toMs) await store.registerSeries(step);
    await store.publishFrontier({ level: { level: 0, frontierMs: step.toMs } });
    progress.frontier = movedTo(progress.frontier, step.toMs);
    progress.frontiersMs = progress.frontiersMs.with(0, step.toMs);
    progress.movedAtMs = clock();
  }
}
