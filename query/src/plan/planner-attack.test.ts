import { defaultLevels } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import type { DuplicateWindow, ReadPlan } from "../store/reading-store.ts";
import type { StoreHorizon } from "../store/store-status.ts";
import { allTime, duplicateSpansMax, planRead } from "./planner.ts";

const windowMs = 10_000;
const dayMs = 86_400_000;
const baseMs = Date.UTC(2026, 0, 1);
const nowMs = baseMs + 365 * dayMs;
const keepAll = Number.NEGATIVE_INFINITY;

/** A mesh whose levels are all folded up to about the current time; they are not pure by default. */
function horizon(options: Partial<StoreHorizon> = {}): StoreHorizon {
  return {
    completeThroughMs: nowMs,
    frontiersMs: [nowMs, nowMs - 600_000, nowMs - dayMs],
    levelsKeptSinceMs: defaultLevels.map(() => keepAll),
    rawKeptSinceMs: keepAll,
    ...options,
  };
}

/** One device that sends a duplicate in every second window, each repaired at another time or not at all. */
function everySecondWindow(count: number, deviceId = "attacker"): DuplicateWindow[] {
  return Array.from({ length: count }, (_, place) => ({
    deviceId,
    sensor: "temperature",
    windowMs: baseMs + place * 2 * windowMs,
    firstDuplicateMs: nowMs - 500_000,
    lastDuplicateMs: nowMs - 400_000,
    repairThroughMs: place % 3 === 0 ? undefined : nowMs - (place % 30_000) * 10_000,
  }));
}

function sizeOf({ duplicates }: ReadPlan): number {
  if (!duplicates) return 0;
  const { except, levels, raw, repairs } = duplicates;
  return [...except.levels, except.raw, ...levels, raw, repairs].flat().length;
}

/** CPU time of this thread in milliseconds, independent of other load; the minimum of some tries. */
function workOf(act: () => void): number {
  const times = Array.from({ length: 5 }, () => {
    const before = process.threadCpuUsage();
    act();
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

describe.each([
  ["levels that are not pure", horizon()],
  ["pure levels", horizon({ coarsePureSinceMs: 0 })],
  ["raw readings that have expired", horizon({ rawKeptSinceMs: baseMs + 200 * dayMs })],
])("a device that re-sends a reading in every second window, over %s", (_, mesh) => {
  const request = { ...allTime, levels: defaultLevels, horizon: mesh };

  it("is planned in a time linear in the windows, and blocks the event loop for less than 50 ms", () => {
    const [few, many] = [everySecondWindow(39_000), everySecondWindow(390_000)];
    const fewMs = workOf(() => planRead({ ...request, duplicates: { windows: few } }));
    const manyMs = workOf(() => planRead({ ...request, duplicates: { windows: many } }));
    expect(manyMs).toBeLessThan(Math.max(fewMs * 25, 25));
    expect(manyMs).toBeLessThan(50);
  });

  it.each([20_000, 390_000])("has a plan of few spans, with %i windows", (count) => {
    const { plan } = planRead({ ...request, duplicates: { windows: everySecondWindow(count) } });
    expect(sizeOf(plan)).toBeLessThanOrEqual(20);
  });

  it("changes nothing for other series that also have marked windows", () => {
    const others = Array.from({ length: 30 }, (_unused, place) =>
      everySecondWindow(1, `other-${place}`),
    ).flat();
    const alone = planRead({ ...request, duplicates: { windows: others } }).plan.duplicates;
    const attacked = planRead({
      ...request,
      duplicates: { windows: [...others, ...everySecondWindow(390_000)] },
    }).plan.duplicates;
    const ofOthers = (scans: readonly { readonly series: readonly { readonly deviceId: string }[] }[]) =>
      scans
        .map((scan) => ({ ...scan, series: scan.series.filter(({ deviceId }) => deviceId !== "attacker") }))
        .filter(({ series }) => series.length > 0);
    expect(ofOthers(attacked?.raw ?? [])).toEqual(ofOthers(alone?.raw ?? []));
    expect(ofOthers(attacked?.repairs ?? [])).toEqual(ofOthers(alone?.repairs ?? []));
  });

  it("reads no raw readings of series without duplicates, with 1000 devices of that kind", () => {
    const windows = Array.from({ length: 1000 }, (_unused, place) =>
      everySecondWindow(200 + (place % 100), `attacker-${place}`),
    ).flat();
    const { plan } = planRead({ ...request, duplicates: { windows } });
    const clean = planRead({ ...request, duplicates: undefined }).plan;
    expect(plan.raw).toEqual(clean.raw);
    expect(sizeOf(plan)).toBeLessThanOrEqual(duplicateSpansMax);
  });
});
