import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import type { DeviceMessage } from "@devicemesh/proto";
import { collected } from "@devicemesh/query/testing/contracts/reading-store.contract";
import { expect, it } from "vitest";
import { openEmbeddedStore } from "../duckdb-store.ts";

const nowMs = Date.UTC(2026, 10, 24);

it("a scan of more readings than one statement reads is in order, also if very many have one timestamp", async () => {
  using folder = temporaryFolder();
  await using store = await openEmbeddedStore({ folder: folder.path, clock: () => nowMs, memoryMib: 64 });
  const sensor = "temperature";
  // 60,000 spread over a year, 70,000 at one moment, 40,000 in the second after it.
  const readings: DeviceMessage[] = [
    ...Array.from({ length: 60_000 }, (_, place) => ({
      deviceId: `year-${place % 7}`,
      sensor: sensor as DeviceMessage["sensor"],
      timestampMs: nowMs - 31_536_000_000 + place * 525_600,
      value: place % 100,
    })),
    ...Array.from({ length: 70_000 }, (_, place) => ({
      deviceId: `moment-${place}`,
      sensor: sensor as DeviceMessage["sensor"],
      timestampMs: nowMs - 5000,
      value: place % 100,
    })),
    ...Array.from({ length: 40_000 }, (_, place) => ({
      deviceId: `second-${place % 40}`,
      sensor: sensor as DeviceMessage["sensor"],
      timestampMs: nowMs - 4000 + Math.floor(place / 40),
      value: place % 100,
    })),
  ];
  for (let start = 0; start < readings.length; start += 10_000)
    await store.log.append(batchOf(readings.slice(start, start + 10_000)));
  const { signal } = new AbortController();
  const { completeThroughMs } = await store.readings.sealHorizon(signal);
  const found: string[] = [];
  for await (const piece of store.readings.scanReadings(
    { filter: { deviceIds: [], sensors: [] }, sinceMs: 0, toMs: nowMs, arrivedToMs: completeThroughMs },
    signal,
  )) {
    for (const [row, timestampMs] of piece.timestampsMs.entries())
      found.push(`${timestampMs} ${piece.deviceIds[row]} ${piece.values[row]}`);
  }
  const wanted = readings
    .toSorted((a, b) => a.timestampMs - b.timestampMs || (a.deviceId < b.deviceId ? -1 : 1))
    .map(({ timestampMs, deviceId, value }) => `${timestampMs} ${deviceId} ${value}`);
  expect(found.length).toBe(wanted.length);
  expect(found.every((row, place) => row === wanted[place])).toBe(true);
});

it("a scan that begins at once after an acknowledgement has the reading, even if the clock does not advance", async () => {
  using folder = temporaryFolder();
  await using store = await openEmbeddedStore({
    folder: folder.path,
    clock: () => nowMs,
    elapsedMs: () => 0,
  });
  const { signal } = new AbortController();
  for (let round = 1; round <= 3; round++) {
    const message: DeviceMessage = {
      deviceId: "a",
      sensor: "temperature",
      timestampMs: nowMs - round,
      value: 1,
    };
    await store.log.append(batchOf([message]));
    const { completeThroughMs } = await store.readings.sealHorizon(signal);
    const scan = {
      filter: { deviceIds: [], sensors: [] },
      sinceMs: 0,
      toMs: nowMs,
      arrivedToMs: completeThroughMs,
    };
    const pieces = await collected(store.readings.scanReadings(scan, signal));
    expect(pieces.flatMap(({ values }) => values)).toHaveLength(round);
  }
});
