import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import type { DeviceMessage } from "@devicemesh/proto";
import { planRead } from "@devicemesh/query";
import { expect, it } from "vitest";
import { openEmbeddedStore } from "../duckdb-store.ts";

const windowMs = 10_000;
const sinceMs = Date.UTC(2026, 10, 24);
const span = { sinceMs, toMs: sinceMs + windowMs };
const signal = new AbortController().signal;

function readings(count: number, firstMs: number): DeviceMessage[] {
  return Array.from({ length: count }, (_, place) => ({
    deviceId: `d${place % 3}`,
    sensor: "temperature",
    timestampMs: firstMs + Math.floor(place / 3),
    value: 20,
  }));
}

it.each([
  ["after a restart", 6, true],
  ["after a commit that is too large for the memory of what arrived last", 10_000, false],
])("counts late readings of a folded window once: %s", async (_, late, isReopened) => {
  using folder = temporaryFolder();
  let nowMs = sinceMs + windowMs;
  const open = () =>
    openEmbeddedStore({ folder: folder.path, clock: () => nowMs, elapsedMs: () => nowMs, memoryMib: 64 });
  let store = await open();
  try {
    await store.log.append(batchOf(readings(30, sinceMs)));
    nowMs += 25_000;
    await store.maintain();
    await store.log.append(batchOf(readings(late, sinceMs + 5000)));
    if (isReopened) {
      await store.close();
      store = await open();
    }
    const { levels } = store.readings;
    const horizon = await store.readings.readHorizon(signal);
    const { plan } = planRead({ ...span, levels, horizon });
    expect(plan.levels[0]).toHaveLength(1);
    const filter = { deviceIds: [], sensors: [] };
    const { partials } = await store.readings.readPartials({ plan, filter }, signal);
    expect(partials.reduce((sum, { count }) => sum + count, 0)).toBe(30 + late);
  } finally {
    await store.close();
  }
});

it("leaves out what arrived after the end of a scan, though memory has it", async () => {
  using folder = temporaryFolder();
  let nowMs = sinceMs + windowMs;
  await using store = await openEmbeddedStore({
    folder: folder.path,
    clock: () => nowMs,
    elapsedMs: () => nowMs,
    memoryMib: 64,
  });
  await store.log.append(batchOf(readings(30, sinceMs)));
  const sealed = await store.readings.sealHorizon(signal);
  nowMs += 1000;
  // Too many for the memory of what arrived last.
  await store.log.append(batchOf(readings(10_000, sinceMs + 1000)));
  const { levels } = store.readings;
  const { plan } = planRead({ ...span, levels, horizon: sealed });
  const ended = plan.raw.map((scan) => ({ ...scan, arrivedToMs: sealed.completeThroughMs }));
  const { partials } = await store.readings.readPartials(
    { plan: { ...plan, raw: ended }, filter: { deviceIds: [], sensors: [] } },
    signal,
  );
  expect(partials.reduce((sum, { count }) => sum + count, 0)).toBe(30);
});
