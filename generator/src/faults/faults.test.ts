import { noSensor } from "@devicemesh/client/delivery/frame-encoder";
import { clockAheadMaxMs, deviceIdPattern, earliestTimestampMs, sensors } from "@devicemesh/proto";
import { describe, expect, it } from "vitest";
import { type FaultPlan, hasFaults, noFaults } from "./fault-plan.ts";
import { createFaults } from "./faults.ts";

type Row = { deviceId: string; sensorCode: number; timestampMs: number; value: number; at: number };

const devices = 10;
const valid = [20, 1000, 50, 80];
const startMs = Date.UTC(2026, 0, 1);

/** Simulates that many intervals of a second and returns the output with its times. */
function run(
  faults: Partial<FaultPlan>,
  { intervals = 2000, seed = 5n, queuedMax = 100_000, flush = true } = {},
) {
  const rows: Row[] = [];
  let nowMs = startMs;
  let queuedMost = 0;
  const injector = createFaults({
    plan: { ...noFaults, ...faults },
    seed,
    deviceCount: devices,
    queuedMax,
    sink: (deviceId, sensorCode, timestampMs, value) =>
      rows.push({ deviceId, sensorCode, timestampMs, value, at: nowMs }),
  });
  for (let interval = 0; interval < intervals; interval++) {
    nowMs = startMs + interval * 1000;
    injector.release(nowMs);
    for (let index = 0; index < devices; index++)
      injector.simulate(index, `device-${index}`, index % 4, nowMs, valid[index % 4]!);
    queuedMost = Math.max(queuedMost, injector.delayed());
  }
  if (flush) injector.flush();
  return { rows, queuedMost, measured: intervals * devices };
}

const identity = ({ deviceId, timestampMs }: Row) => `${deviceId}|${timestampMs}`;
const share = (rows: readonly Row[], is: (row: Row) => boolean) => rows.filter(is).length / rows.length;

function isValid({ deviceId, sensorCode, timestampMs, value }: Row): boolean {
  const spec = sensors[sensorCode];
  return (
    deviceIdPattern.test(deviceId) &&
    timestampMs >= earliestTimestampMs &&
    timestampMs <= startMs + 365 * clockAheadMaxMs &&
    spec !== undefined &&
    value >= spec.minimum &&
    value <= spec.maximum
  );
}

describe("faults", () => {
  it("are off by default: every reading is passed on at once, unchanged, in order", () => {
    expect(hasFaults(noFaults)).toBe(false);
    const { rows, measured } = run({}, { intervals: 50 });
    expect(rows).toHaveLength(measured);
    expect(rows.every((row) => row.at === row.timestampMs && row.value === valid[row.sensorCode])).toBe(true);
    expect(rows.map(({ deviceId }) => deviceId).slice(0, 3)).toEqual(["device-0", "device-1", "device-2"]);
  });

  it("are the same for the same seed, and different for another seed", () => {
    const faults = {
      lateRate: 0.1,
      duplicateRate: 0.1,
      invalidRate: 0.1,
      offlineRate: 0.01,
      shuffleSpan: 7,
      clockSkewMaxMs: 999,
    };
    const { rows } = run(faults, { intervals: 300 });
    expect(run(faults, { intervals: 300 }).rows).toEqual(rows);
    expect(run(faults, { intervals: 300, seed: 6n }).rows).not.toEqual(rows);
  });

  it("delay the given share with the given mean, never beyond the longest delay, and lose none", () => {
    const { rows, measured } = run(
      { lateRate: 0.2, lateMeanMs: 20_000, lateMaxMs: 60_000 },
      { flush: false },
    );
    const late = rows.filter((row) => row.at > row.timestampMs);
    expect(late.length / rows.length).toBeCloseTo(0.2, 1);
    const delays = late.map((row) => row.at - row.timestampMs);
    // Released at the next interval, so up to a second later.
    expect(Math.max(...delays)).toBeLessThanOrEqual(61_000);
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
    expect(mean).toBeGreaterThan(17_000);
    expect(mean).toBeLessThan(22_000);
    const all = run({ lateRate: 0.2, lateMeanMs: 20_000, lateMaxMs: 60_000 }).rows;
    expect(new Set(all.map(identity)).size).toBe(measured);
    expect(all).toHaveLength(measured);
  });

  it("move readings within the span and no further", () => {
    const { rows, measured } = run({ shuffleSpan: 8 }, { intervals: 100 });
    expect(rows).toHaveLength(measured);
    const order = rows.map((row) => (row.timestampMs - startMs) / 100 + Number(row.deviceId.slice(7)));
    expect(order).not.toEqual(order.toSorted((a, b) => a - b));
    for (const [place, original] of order.entries())
      expect(Math.floor(original / 8)).toBe(Math.floor(place / 8));
  });

  it("send the given share twice, as exact copies", () => {
    const { rows, measured } = run({ duplicateRate: 0.05 });
    expect(rows.length / measured - 1).toBeCloseTo(0.05, 1);
    expect(rows.length).toBeGreaterThan(measured);
    expect(new Set(rows.map(identity)).size).toBe(measured);
  });

  it("shift the clock of each device by a constant offset, within the bound", () => {
    const { rows } = run({ clockSkewMaxMs: 5000 }, { intervals: 50 });
    const skews = Map.groupBy(rows, ({ deviceId }) => deviceId);
    const distinct = new Set<number>();
    for (const own of skews.values()) {
      const [skew, ...others] = new Set(own.map((row) => row.timestampMs - row.at));
      expect(others).toEqual([]);
      expect(Math.abs(skew!)).toBeLessThanOrEqual(5000);
      distinct.add(skew!);
    }
    expect(distinct.size).toBeGreaterThan(5);
  });

  it("take devices offline and send the backlog in order when the spell ends", () => {
    const { rows, measured } = run({ offlineRate: 0.01, offlineMeanMs: 20_000 });
    expect(rows).toHaveLength(measured);
    expect(share(rows, (row) => row.at > row.timestampMs)).toBeGreaterThan(0.05);
    for (const own of Map.groupBy(rows, ({ deviceId }) => deviceId).values()) {
      const times = own.map(({ timestampMs }) => timestampMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });

  it("make the given share of readings invalid, in many ways, and no other reading", () => {
    const { rows } = run({ invalidRate: 0.1 });
    const broken = rows.filter((row) => !isValid(row));
    expect(broken.length / rows.length).toBeGreaterThan(0.09);
    expect(broken.length / rows.length).toBeLessThan(0.11);
    expect(broken.some((row) => row.sensorCode === noSensor)).toBe(true);
    expect(broken.some((row) => Number.isNaN(row.timestampMs))).toBe(true);
    expect(broken.some((row) => Number.isNaN(row.value))).toBe(true);
    expect(broken.some((row) => row.deviceId === "")).toBe(true);
    expect(run({ invalidRate: 1 }).rows.some(isValid)).toBe(false);
  });

  it("delay no more than the bound; further readings are passed on at once and not lost", () => {
    const { rows, queuedMost, measured } = run(
      { lateRate: 1, lateMeanMs: 1e9, lateMaxMs: 1e9 },
      { queuedMax: 500, flush: false },
    );
    expect(queuedMost).toBe(500);
    expect(rows).toHaveLength(measured - 500);
  });

  it("have passed on every reading after a flush", () => {
    const { rows, measured } = run(
      { lateRate: 1, lateMeanMs: 1e9, lateMaxMs: 1e9, shuffleSpan: 1000 },
      { intervals: 33 },
    );
    expect(rows).toHaveLength(measured);
  });
});
