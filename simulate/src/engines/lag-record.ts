import type { Fault, FaultKind, FaultPlan } from "../fleet/fault-plan.ts";

/** How far the finest frontier is behind, by the fault that runs or has just ended. Times are ms. */
export type LagFigures = {
  readonly during: FaultKind | "no fault";
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maximumMs: number;
};

/** A fault has an effect for some time after it ended: until what has waited is worked off. */
const afterMs = 60_000;

/** Collects the lag of every step. */
export function createLagRecord(plan: FaultPlan) {
  const lags = new Map<FaultKind | "no fault", number[]>();

  function during(nowMs: number): Fault | undefined {
    return plan.faults.findLast(
      ({ sinceMs, toMs }) => nowMs >= sinceMs && nowMs < toMs + 2 * (toMs - sinceMs) + afterMs,
    );
  }

  return {
    add(nowMs: number, frontierMs: number): void {
      const kind = during(nowMs)?.kind ?? "no fault";
      const list = lags.get(kind) ?? [];
      list.push(nowMs - frontierMs);
      lags.set(kind, list);
    },
    figures: (): readonly LagFigures[] =>
      [...lags].map(([kind, list]) => {
        const sorted = list.toSorted((a, b) => a - b);
        const at = (share: number): number =>
          sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] as number;
        return { during: kind, seconds: list.length, p50Ms: at(0.5), p99Ms: at(0.99), maximumMs: at(1) };
      }),
  };
}
