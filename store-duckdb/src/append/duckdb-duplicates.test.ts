import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtInSensors, type DeviceMessage, sensors } from "@devicemesh/proto";
import { afterEach, describe, expect, it } from "vitest";
import { openDuckdb } from "../database/duckdb-database.ts";
import { type EmbeddedStore, openEmbeddedStore } from "../duckdb-store.ts";
import { createFoundDuplicates, type DuckdbDuplicates, readDuplicates } from "./duckdb-duplicates.ts";

const startMs = Date.UTC(2026, 10, 23, 20, 4, 20);
const everything = { filter: { deviceIds: [], sensors: [] }, limit: 100 };
const { signal } = new AbortController();

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "duplicates-"));
  folders.push(folder);
  return folder;
}

async function append(store: EmbeddedStore, messages: readonly DeviceMessage[]): Promise<void> {
  await store.log.append({
    length: messages.length,
    deviceIds: messages.map(({ deviceId }) => deviceId),
    sensors: builtInSensors,
    sensorCodes: Uint16Array.from(messages, ({ sensor }) =>
      sensors.findIndex((spec) => spec.sensor === sensor),
    ),
    timestampsMs: Float64Array.from(messages, ({ timestampMs }) => timestampMs),
    values: Float64Array.from(messages, ({ value }) => value),
  } as unknown as Parameters<EmbeddedStore["log"]["append"]>[0]);
}

describe("duplicates and conflicts of the embedded store", () => {
  it("are the same after a restart, and counting continues", async () => {
    const folder = await newFolder();
    let nowMs = startMs;
    const open = () => openEmbeddedStore({ folder, clock: () => nowMs });
    const one: DeviceMessage = { deviceId: "a", sensor: "temperature", timestampMs: startMs, value: 1 };
    let store = await open();
    await append(store, [one, one, { ...one, value: 2 }]);
    const before = await store.readings.readDuplicates(everything, signal);
    await store.close();
    nowMs += 60_000;
    store = await open();
    expect(await store.readings.readDuplicates(everything, signal)).toEqual(before);
    await append(store, [{ ...one, value: 3 }, one]);
    const [after] = await store.readings.readDuplicates(everything, signal);
    expect(after).toMatchObject({ duplicates: 2, conflicts: 2 });
    expect(after?.latestConflicts.map(({ refusedValue, arrivedMs }) => [refusedValue, arrivedMs])).toEqual([
      [3, startMs + 60_000],
      [2, startMs],
    ]);
    await store.close();
  });

  it("have a quota for each device and hour, beyond which ingest rejects possible duplicates", async () => {
    let nowMs = startMs;
    const store = await openEmbeddedStore({
      folder: await newFolder(),
      clock: () => nowMs,
      duplicatesPerHour: 3,
    });
    const one: DeviceMessage = { deviceId: "a", sensor: "temperature", timestampMs: startMs, value: 1 };
    const sensor = sensors.findIndex((spec) => spec.sensor === one.sensor);
    await append(store, [one, one, one, one]);
    expect(store.admitOlder("a", sensor, startMs)).toBeUndefined();
    await append(store, [{ ...one, value: 2 }]);
    expect(store.admitOlder("a", sensor, startMs)).toContain("more than 3 duplicates and conflicts");
    expect(store.admitOlder("a", sensor, startMs + 1)).toBeUndefined();
    expect(store.admitOlder("b", sensor, startMs)).toBeUndefined();
    nowMs += 3_600_000;
    expect(store.admitOlder("a", sensor, startMs)).toBeUndefined();
    await store.close();
  });

  it("keep a bounded number of conflicts and rows, whatever is sent", async () => {
    const folder = await newFolder();
    const database = await openDuckdb(folder, { memoryMib: 128, threads: 1 });
    const connection = await database.connect();
    const duplicates = await readDuplicates(connection);
    const seriesCount = 4000;
    for (let commit = 0; commit < 40; commit++) {
      const { found, add } = createFoundDuplicates(startMs + commit);
      for (let series = 0; series < seriesCount; series++) {
        add(series, startMs, { stored: 1, refused: 2 });
        add(series, startMs, { stored: 1, refused: 1 });
      }
      await connection.run("BEGIN TRANSACTION");
      await duplicates.write(connection, found);
      await connection.run("COMMIT");
      duplicates.committed(found);
    }
    const conflictsOf = (of: DuckdbDuplicates): number =>
      Array.from({ length: seriesCount }, (_, series) => of.get(series)?.latest.length ?? 0).reduce(
        (sum, count) => sum + count,
      );
    expect(conflictsOf(duplicates)).toBeLessThanOrEqual(24_000);
    expect(duplicates.get(7)).toMatchObject({ duplicates: 40, conflicts: 40 });
    for (const table of ["series_repeats", "latest_conflicts"]) {
      const result = await connection.runAndReadAll(`SELECT count(*)::DOUBLE FROM ${table}`);
      expect(result.getRows()[0]?.[0]).toBeLessThan(65_000);
    }
    const again = await readDuplicates(connection);
    expect(again.get(7)).toMatchObject({ duplicates: 40, conflicts: 40 });
    expect(conflictsOf(again)).toBeLessThanOrEqual(10_000);
    expect(again.size).toBe(seriesCount);
    connection.closeSync();
    database.close();
  });

  it("are not counted for a commit that failed", async () => {
    const folder = await newFolder();
    const database = await openDuckdb(folder, { memoryMib: 128, threads: 1 });
    const connection = await database.connect();
    const duplicates = await readDuplicates(connection);
    const { found, add } = createFoundDuplicates(startMs);
    add(0, startMs, { stored: 1, refused: 2 });
    await connection.run("BEGIN TRANSACTION");
    await duplicates.write(connection, found);
    await connection.run("ROLLBACK");
    expect(duplicates.get(0)).toBeUndefined();
    expect((await readDuplicates(connection)).get(0)).toBeUndefined();
    connection.closeSync();
    database.close();
  });
});
