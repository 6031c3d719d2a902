import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { type DeviceMessage, defaultLevels } from "@devicemesh/proto";
import type { DuckDBConnection } from "@duckdb/node-api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openDuckdb } from "../database/duckdb-database.ts";
import { readStored } from "../database/duckdb-stored-state.ts";
import { createDuckdbTransactions } from "../database/duckdb-writes.ts";
import { createMemoryGate } from "../database/memory-gate.ts";
import { createSeriesRegistry } from "../series/series-registry.ts";
import { createArrivalClock } from "./commit-clock.ts";
import { readDuplicates } from "./duckdb-duplicates.ts";
import { defaultKnownIdentitiesLimits, type KnownIdentitiesLimits } from "./duckdb-known-identities.ts";
import { createDuckdbMessageLog } from "./duckdb-message-log.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const firstMs = Date.UTC(2026, 0, 1);

/** A log over a database of its own, with the number of look-ups in the store. */
async function openLog(folder: string, limits?: KnownIdentitiesLimits) {
  const database = await openDuckdb(folder, { memoryMib: 128, threads: 1 });
  const connection = await database.connect();
  const stored = await readStored(connection, defaultLevels, database.file);
  const failures: unknown[] = [];
  let lookUps = 0;
  let isBroken = false;
  const watched: DuckDBConnection = new Proxy(connection, {
    get(target, name) {
      if (name !== "run") return Reflect.get(target, name, target).bind(target);
      return async (sql: string) => {
        if (sql.includes("possible_duplicates")) lookUps++;
        if (sql === "COMMIT" && isBroken) throw new Error("the disk is gone");
        return target.run(sql);
      };
    },
  });
  const log = createDuckdbMessageLog({
    connection: watched,
    transactions: createDuckdbTransactions({ memory: createMemoryGate() }),
    registry: createSeriesRegistry(stored.series),
    duplicates: await readDuplicates(connection),
    clock: createArrivalClock(Date.now, stored.logEndMs ?? 0),
    onCommit: () => {},
    onFailure: (error) => failures.push(error),
    identities: limits,
  });
  return {
    log,
    failures,
    lookUps: () => lookUps,
    setBroken(broken: boolean) {
      isBroken = broken;
    },
    async values(): Promise<Map<string, number>> {
      const sql =
        "SELECT device_id, ts::DOUBLE, value FROM readings JOIN series ON code = series ORDER BY readings.rowid";
      const rows = (await connection.runAndReadAll(sql)).getRows() as [string, number, number][];
      const values = new Map(rows.map(([device, ms, value]) => [`${device}|${ms}`, value]));
      expect(values.size).toBe(rows.length);
      return values;
    },
    async [Symbol.asyncDispose]() {
      await log.close();
      connection.closeSync();
      database.close();
    },
  };
}

function message(device: number, timestampMs: number, value = 1): DeviceMessage {
  return { deviceId: `d${device}`, sensor: "temperature", timestampMs, value };
}

/** A day of readings of 20 devices, each once, the latest first and the others far from one another. */
function lateDay(count: number): DeviceMessage[] {
  const latest = Array.from({ length: 20 }, (_, device) => message(device, firstMs + dayMs));
  const late = Array.from({ length: count }, (_, index) =>
    message(index % 20, firstMs + ((Math.floor(index / 20) * 50_021) % 86_400) * 1000, index),
  );
  return [...latest, ...late];
}

describe("late readings", () => {
  it("are separated from duplicates without a look-up in the store for every commit", async () => {
    using folder = temporaryFolder();
    await using opened = await openLog(folder.path);
    const messages = lateDay(20_000);
    for (let at = 0; at < messages.length; at += 2000) {
      const appended = await opened.log.append(batchOf(messages.slice(at, at + 2000)));
      expect(appended).toEqual({ duplicates: 0, conflicts: 0 });
    }
    expect((await opened.values()).size).toBe(messages.length);
    expect(opened.lookUps()).toBe(0);
    // Sent again, they are looked up.
    expect(await opened.log.append(batchOf(messages.slice(0, 100)))).toEqual({
      duplicates: 100,
      conflicts: 0,
    });
    expect(opened.lookUps()).toBeGreaterThan(0);
  });

  it("are duplicates of what was stored before the process started", async () => {
    using folder = temporaryFolder();
    const messages = lateDay(4000);
    {
      await using before = await openLog(folder.path);
      await before.log.append(batchOf(messages));
    }
    await using after = await openLog(folder.path);
    const changed = messages.slice(0, 1500).map((one) => ({ ...one, value: one.value + 1 }));
    expect(await after.log.append(batchOf(messages.slice(2000)))).toEqual({
      duplicates: messages.length - 2000,
      conflicts: 0,
    });
    expect(await after.log.append(batchOf(changed))).toEqual({ duplicates: 0, conflicts: 1500 });
  });

  it("are stored when they are sent again after a failed commit", async () => {
    using folder = temporaryFolder();
    await using opened = await openLog(folder.path);
    const messages = lateDay(4000);
    await opened.log.append(batchOf(messages.slice(0, 2000)));
    opened.setBroken(true);
    await expect(opened.log.append(batchOf(messages.slice(2000)))).rejects.toThrow("could not commit");
    opened.setBroken(false);
    expect(await opened.log.append(batchOf(messages.slice(2000)))).toEqual({ duplicates: 0, conflicts: 0 });
    expect((await opened.values()).size).toBe(messages.length);
  });

  it("of one wrong clock do not prevent the identities of others from being kept in memory", async () => {
    using folder = temporaryFolder();
    const limits = { ...defaultKnownIdentitiesLimits, loadMax: 3000 };
    await using opened = await openLog(folder.path, limits);
    // More is stored than the set may hold, months before.
    const old = Array.from({ length: 4000 }, (_, index) => message(0, firstMs - 90 * dayMs + index));
    await opened.log.append(batchOf(old));
    const messages = lateDay(4000);
    for (let at = 0; at < messages.length; at += 1000) {
      const wrong = message(0, firstMs - 90 * dayMs - 1 - at);
      await opened.log.append(batchOf([...messages.slice(at, at + 1000), wrong]));
    }
    const [, before] = [await opened.values(), opened.lookUps()];
    await opened.log.append(batchOf(lateDay(4500).slice(4020)));
    expect(opened.lookUps()).toBe(before);
    // What is stored from before the set begins is looked up: it counts once.
    const stored = (await opened.values()).size;
    await opened.log.append(batchOf(old.slice(0, 10)));
    expect((await opened.values()).size).toBe(stored);
    expect(opened.lookUps()).toBe(before + 1);
  });
});

it("each identity counts once, in any order and within any limits", async () => {
  const one = fc.record({
    device: fc.nat(3),
    // A few hours, and a few times within each, so that many come twice.
    ms: fc.tuple(fc.nat(5), fc.nat(9)).map(([hour, tick]) => firstMs + hour * hourMs + tick),
    value: fc.nat(1),
  });
  const limits = fc.record({
    lateReadings: fc.integer({ min: 1, max: 4 }),
    lateCommits: fc.integer({ min: 1, max: 3 }),
    loadMax: fc.constantFrom(0, 10, 60, 1000),
    inOrderMax: fc.constantFrom(0, 5, 1000),
  });
  const commits = fc.array(
    fc.record({ messages: fc.array(one, { minLength: 1, maxLength: 25 }), fails: fc.boolean() }),
    { minLength: 1, maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(limits, commits, async (limited, sent) => {
      using folder = temporaryFolder();
      await using opened = await openLog(folder.path, limited);
      const expected = new Map<string, number>();
      for (const { messages, fails } of sent) {
        const batch = batchOf(messages.map(({ device, ms, value }) => message(device, ms, value)));
        if (fails) {
          opened.setBroken(true);
          await expect(opened.log.append(batch)).rejects.toThrow("could not commit");
          opened.setBroken(false);
          continue;
        }
        let [duplicates, conflicts] = [0, 0];
        for (const { device, ms, value } of messages) {
          const identity = `d${device}|${ms}`;
          const first = expected.get(identity);
          if (first === undefined) expected.set(identity, value);
          else if (first === value) duplicates++;
          else conflicts++;
        }
        expect(await opened.log.append(batch)).toEqual({ duplicates, conflicts });
      }
      expect(await opened.values()).toEqual(expected);
    }),
    { numRuns: 15 },
  );
});
