import { ownCopy } from "../formats/own-copy.ts";
import type { Zone } from "./zone.ts";

/** Resolves local times of series to instants, in the order of a file. */
export type LocalTimes = {
  /** Returns the instant in milliseconds since 1970; NaN if there is none or it is ambiguous: see `problem`. */
  resolve(series: string, localMs: number): number;
  /** Why the last `resolve` returned NaN. */
  problem(): string;
  /** Number of ambiguous local times, by their resolution. */
  repeated(): RepeatedTimes;
};

/** Number of ambiguous times that were resolved to their first and to their second occurrence. */
export type RepeatedTimes = { readonly first: number; readonly second: number };

/** The state of a series: the last instant, the last step, and the order of its times so far. */
type Seen = { last: number; step: number; order: 1 | -1 | 0 | undefined };

// 1,000,000 series need about 100 MB.
const seriesMax = 1_000_000;

/**
 * Resolves local times of a zone. A time that occurs twice, when clocks are set back, is decided by the times before it
 * in the same series: while they ascend (or descend), a time that seems to go back belongs to the other occurrence. It
 * is ambiguous, and rejected, if the series is not in order or has no earlier time. A time that the clocks skip is
 * rejected.
 */
export function createLocalTimes(zone: Zone): LocalTimes {
  const seen = new Map<string, Seen>();
  let problem = "";
  let first = 0;
  let second = 0;

  function remember(series: string, state: Seen | undefined, instant: number): void {
    if (state === undefined) {
      if (seen.size < seriesMax) seen.set(ownCopy(series), { last: instant, step: 0, order: undefined });
      return;
    }
    const step = instant - state.last;
    if (step === 0) return;
    const order = step > 0 ? 1 : -1;
    if (state.order === undefined) state.order = order;
    else if (state.order !== order) state.order = 0;
    state.last = instant;
    state.step = Math.abs(step);
  }

  function refuse(text: string): number {
    problem = text;
    return Number.NaN;
  }

  /** Decides between the two instants. */
  function decide(state: Seen | undefined, early: number, late: number): number {
    if (state === undefined || state.order === 0) return Number.NaN;
    const { last } = state;
    const order = state.order ?? (last < early ? 1 : last > late ? -1 : 0);
    if (order === 0) return Number.NaN;
    const [before, after] = order === 1 ? [early, late] : [late, early];
    // The same time again: the second occurrence if the series has no shorter steps, otherwise the same row again.
    if (before === last) return state.step >= late - early ? after : before;
    if ((before - last) * order > 0) return before;
    return (after - last) * order >= 0 ? after : Number.NaN;
  }

  return {
    resolve(series, localMs) {
      const instants = zone.instantsOf(localMs);
      const state = seen.get(series);
      if (instants.length === 1) {
        remember(series, state, instants[0]!);
        return instants[0]!;
      }
      if (instants.length === 0)
        return refuse(`does not exist in ${zone.name}: clocks are set forward over it`);
      const [early, late] = instants as [number, number];
      const instant = decide(state, early, late);
      if (Number.isNaN(instant)) {
        return refuse(
          `comes twice in ${zone.name}, where clocks are set back, and the order of the rows does not decide which it is`,
        );
      }
      if (instant === early) first += 1;
      else second += 1;
      remember(series, state, instant);
      return instant;
    },
    problem: () => problem,
    repeated: () => ({ first, second }),
  };
}
