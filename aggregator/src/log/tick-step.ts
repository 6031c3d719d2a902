import type { Progress } from "../status/progress.ts";
import type { TickLog } from "./log-access.ts";
import type { LogEnd } from "./log-end.ts";
import type { WatermarkProof } from "./proven-watermark.ts";
import type { TickMemory } from "./ticks.ts";

/** Appends one round of ticks and remembers it. Call it about once a second, one call at a time. */
export async function stepTicks(dependencies: {
  readonly progress: Progress;
  readonly ticks: TickMemory;
  readonly proof: Pick<WatermarkProof, "add">;
  readonly logEnd: LogEnd;
  readonly log: Pick<TickLog, "appendRound">;
  /** This aggregator's own clock, ms since 1970. */
  readonly clock: () => number;
}): Promise<void> {
  const { progress, ticks, proof, logEnd, log, clock } = dependencies;
  const round = await log.appendRound();
  ticks.add(round.ticks);
  proof.add(round.ticks);
  logEnd.add(round);
  progress.steppedBackMs = ticks.steppedBackMs;
  progress.logEndMs = logEnd.logEndMs;
  progress.tickError = round.error;
  const nowMs = clock();
  // Of the clock that is furthest behind, and by the end of the round: the next round is late rather than early.
  if (round.ticks.length > 0) {
    progress.logAheadMs = Math.min(...round.ticks.map(({ appendedMs }) => appendedMs)) - nowMs;
  }
  for (const { partition } of round.ticks) progress.tickedAtMs[partition] = nowMs;
}
