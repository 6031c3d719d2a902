import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeMessageLog, type MessageLogHarness } from "@devicemesh/ingest/testing/message-log.contract";
import { type DeviceMessage, defaultLevels } from "@devicemesh/proto";
import { openDuckdb } from "../database/duckdb-database.ts";
import { readStored } from "../database/duckdb-stored-state.ts";
import { createDuckdbTransactions } from "../database/duckdb-writes.ts";
import { createMemoryGate } from "../database/memory-gate.ts";
import { createSeriesRegistry } from "../series/series-registry.ts";
import { createArrivalClock } from "./commit-clock.ts";
import { readDuplicates } from "./duckdb-duplicates.ts";
import { createDuckdbMessageLog } from "./duckdb-message-log.ts";

async function openLog(folder: string): Promise<MessageLogHarness> {
  const database = await openDuckdb(folder, { memoryMib: 128, threads: 1 });
  const [connection, reader] = [await database.connect(), await database.connect()];
  const stored = await readStored(connection, defaultLevels, database.file);
  const log = createDuckdbMessageLog({
    connection,
    transactions: createDuckdbTransactions({ memory: createMemoryGate() }),
    registry: createSeriesRegistry(stored.series),
    duplicates: await readDuplicates(connection),
    clock: createArrivalClock(Date.now, stored.logEndMs ?? 0),
    onCommit: () => {},
    onFailure: () => {},
  });
  let closed = false;

  async function readAll(): Promise<DeviceMessage[]> {
    const result = await reader.runAndReadAll(
      "SELECT device_id, sensor, ts::DOUBLE, value FROM readings JOIN series ON code = series ORDER BY readings.rowid",
    );
    return result.getRows().map(([deviceId, sensor, timestampMs, value]) => ({
      deviceId: deviceId as string,
      sensor: sensor as DeviceMessage["sensor"],
      timestampMs: timestampMs as number,
      value: value as number,
    }));
  }

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    await log.close();
    connection.closeSync();
    reader.closeSync();
    database.close();
    await rm(folder, { recursive: true, force: true });
  }

  return {
    log,
    readAll,
    close,
    async reopen() {
      // The files of a killed process: their current state, without a flush or close.
      const left = await temporaryFolder();
      await cp(folder, left, { recursive: true });
      await close();
      return openLog(left);
    },
  };
}

function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "devicemesh-store-"));
}

describeMessageLog("the DuckDB message log", async () => openLog(await temporaryFolder()));
