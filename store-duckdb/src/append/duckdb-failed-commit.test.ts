import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { type DeviceMessage, defaultLevels } from "@devicemesh/proto";
import type { DuckDBConnection } from "@duckdb/node-api";
import { expect, it } from "vitest";
import { openDuckdb } from "../database/duckdb-database.ts";
import { readStored } from "../database/duckdb-stored-state.ts";
import { createDuckdbTransactions } from "../database/duckdb-writes.ts";
import { createMemoryGate } from "../database/memory-gate.ts";
import { createSeriesRegistry, type SeriesRegistry } from "../series/series-registry.ts";
import { createArrivalClock } from "./commit-clock.ts";
import { readDuplicates } from "./duckdb-duplicates.ts";
import { createDuckdbMessageLog } from "./duckdb-message-log.ts";

function readingAt(timestampMs: number, value = 1): DeviceMessage {
  return { deviceId: "a", sensor: "temperature", timestampMs, value };
}

/** The latest timestamps (ms) that queries see. */
function seen(registry: SeriesRegistry): number[] {
  const latestMs: number[] = [];
  registry.visit({ from: 0, to: registry.size, sensors: [] }, (series) => latestMs.push(series.latestMs));
  return latestMs;
}

/** A log whose connection calls `before` before each COMMIT and each appender. */
async function openLog(before: (call: "COMMIT" | "append", registry: SeriesRegistry) => void) {
  const folder = temporaryFolder();
  const database = await openDuckdb(folder.path, { memoryMib: 128, threads: 1 });
  const connection = await database.connect();
  const stored = await readStored(connection, defaultLevels, database.file);
  const registry = createSeriesRegistry(stored.series);
  const failures: unknown[] = [];
  const memory = createMemoryGate();
  const calls: Pick<DuckDBConnection, "run" | "createAppender"> = {
    async run(sql) {
      if (sql === "COMMIT") before("COMMIT", registry);
      return connection.run(sql);
    },
    async createAppender(table) {
      before("append", registry);
      return connection.createAppender(table);
    },
  };
  const log = createDuckdbMessageLog({
    connection: new Proxy(connection, {
      get: (target, name) => Reflect.get(calls, name) ?? Reflect.get(target, name, target).bind(target),
    }),
    transactions: createDuckdbTransactions({ memory }),
    registry,
    duplicates: await readDuplicates(connection),
    clock: createArrivalClock(Date.now, 0),
    onCommit: () => {},
    onFailure: (error) => failures.push(error),
  });
  return {
    log,
    registry,
    memory,
    failures,
    async counts() {
      const rows = await connection.runAndReadAll(
        "SELECT (SELECT count(*) FROM readings)::INTEGER, (SELECT duplicates + conflicts FROM repeats)::INTEGER",
      );
      const [kept, duplicates] = rows.getRows()[0] as [number, number];
      return { kept, duplicates };
    },
    async [Symbol.asyncDispose]() {
      await log.close();
      connection.closeSync();
      database.close();
      folder[Symbol.dispose]();
    },
  };
}

it("returns no timestamp of a failed or unfinished commit, and stores readings that are sent again once", async () => {
  let isBroken = false;
  const seenAtCommit: number[][] = [];
  await using opened = await openLog((call, registry) => {
    if (call !== "COMMIT") return;
    seenAtCommit.push(seen(registry));
    if (isBroken) throw new Error("the disk is gone");
  });
  const { log, registry, failures } = opened;
  await log.append(batchOf([readingAt(1000)]));
  isBroken = true;
  await expect(log.append(batchOf([readingAt(9000)]))).rejects.toThrow("could not commit");
  expect(failures).toHaveLength(1);
  expect(seenAtCommit).toEqual([[], [1000]]);
  expect(seen(registry)).toEqual([1000]);

  // Rejected readings are stored when they are sent again, and so are earlier ones.
  isBroken = false;
  await log.append(batchOf([readingAt(5000), readingAt(9000, 2)]));
  expect(seen(registry)).toEqual([9000]);
  expect(await opened.counts()).toEqual({ duplicates: 0, kept: 3 });
});

it("commits without reads, and stores everything once, after memory ran out before a commit", async () => {
  let isShort = false;
  await using opened = await openLog((call) => {
    if (call !== "append" || !isShort) return;
    isShort = false;
    throw new Error("Out of Memory Error: failed to pin block of size 256.0 KiB");
  });
  const { log, memory, failures } = opened;
  await log.append(batchOf([readingAt(1000), readingAt(2000)]));
  isShort = true;
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const order: string[] = [];
  memory.reads.add({ ended, interrupt: () => order.push("interrupted") });
  const appending = log.append(batchOf([readingAt(2000, 3), readingAt(3000)])).then((appended) => {
    order.push("stored");
    return appended;
  });
  await expect.poll(() => memory.isShort).toBe(true);
  order.push("read ended");
  end();
  expect(await appending).toEqual({ duplicates: 0, conflicts: 1 });
  expect(order).toEqual(["read ended", "stored"]);
  expect(failures).toEqual([]);
  expect(await opened.counts()).toEqual({ duplicates: 1, kept: 3 });
});

it("commits nothing more after memory ran out in a commit, and rejects with the reason", async () => {
  let isShort = true;
  await using opened = await openLog((call) => {
    if (call === "COMMIT" && isShort) throw new Error("Out of Memory Error: could not allocate block");
  });
  const { log } = opened;
  const named = { code: "RESOURCE_EXHAUSTED", message: expect.stringContaining("memory of the store") };
  await expect(log.append(batchOf([readingAt(1000)]))).rejects.toMatchObject(named);
  isShort = false;
  await expect(log.append(batchOf([readingAt(2000)]))).rejects.toMatchObject(named);
  expect(await opened.counts()).toEqual({ duplicates: 0, kept: 0 });
});
