import type { Clock } from "@devicemesh/client/clock";
import { sliceMsMin, slicesMax } from "../limits.ts";

/** The devices that must measure now. */
export type Slice = {
  /** Index of the first device, from 0. */
  readonly first: number;
  /** Index after the last device. */
  readonly end: number;
  /** The planned time of the measurement, in milliseconds since 1970, not the actual time. */
  readonly timestampMs: number;
};

/** A running schedule. */
export type Schedule = {
  /** No slice runs after it. Stopping again has no effect. */
  stop(): void;
  /** Number of skipped intervals, because the process was suspended for too long. */
  skippedIntervals(): number;
};

/**
 * Runs every device once an interval with one timer for all: the interval is divided into at most 20 slices, so that a
 * large fleet does not send one burst. After a suspension the missed slices run with their planned times, one interval
 * at a time, so that the process stays responsive; beyond `catchUpMs` (5 s, or one interval if that is longer) they are
 * skipped and counted. If the clock is set back, the plan moves with it.
 * counted. If the clock is set back, the plan moves with it.
 */
export function startSchedule({
  clock,
  intervalMs,
  deviceCount,
  simulate,
  catchUpMs = 5_000,
}: {
  clock: Clock;
  intervalMs: number;
  deviceCount: number;
  simulate(slice: Slice): void;
  catchUpMs?: number;
}): Schedule {
  const slices = Math.max(1, Math.min(slicesMax, deviceCount, Math.floor(intervalMs / sliceMsMin)));
  const sliceMs = intervalMs / slices;
  const behindMaxMs = Math.max(catchUpMs, intervalMs);
  let dueMs = clock.nowMs();
  let slice = 0;
  let skipped = 0;
  let stopped = false;
  let cancelTimer = clock.setTimer(0, wake);

  function wake(): void {
    if (stopped) return;
    const nowMs = clock.nowMs();
    if (dueMs - nowMs > 2 * intervalMs) dueMs = nowMs;
    const tooFarBehind = Math.ceil((nowMs - dueMs - behindMaxMs) / intervalMs);
    if (tooFarBehind > 0) {
      dueMs += tooFarBehind * intervalMs;
      skipped += tooFarBehind;
    }
    for (let measured = 0; measured < slices && dueMs <= nowMs && !stopped; measured++) {
      simulate({
        first: Math.floor((slice * deviceCount) / slices),
        end: Math.floor(((slice + 1) * deviceCount) / slices),
        timestampMs: Math.floor(dueMs),
      });
      slice = (slice + 1) % slices;
      dueMs += sliceMs;
    }
    if (!stopped) cancelTimer = clock.setTimer(Math.max(0, dueMs - clock.nowMs()), wake);
  }

  return {
    stop() {
      stopped = true;
      cancelTimer();
    },
    skippedIntervals: () => skipped,
  };
}
