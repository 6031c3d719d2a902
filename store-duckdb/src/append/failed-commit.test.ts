import { batchOf } from "@devicemesh/ingest/testing/message-log.contract";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { type DeviceMessage, defaultLevels } from "@devicemesh/proto";
import { expect, it } from "vitest";
import { openDuckdb } from "../database/duckdb-database.ts";
import { readStored } from "../database/duckdb-stored-state.ts";
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

it("shows no timestamp of a failed or unfinished commit, and stores readings that are sent again once", async () => {
  using folder = temporaryFolder();
  const database = await openDuckdb(folder.path, { memoryMib: 128, threads: 1 });
  const connection = await database.connect();
  const stored = await readStored(connection, defaultLevels, database.file);
  const registry = createSeriesRegistry(stored.series);
  const failures: unknown[] = [];
  let isBroken = false;
  const seenAtCommit: number[][] = [];
  const log = createDuckdbMessageLog({
    connection: new Proxy(connection, {
      get(target, name) {
        if (name !== "run") return Reflect.get(target, name, target).bind(target);
        return async (sql: string) => {
          if (sql === "COMMIT") seenAtCommit.push(seen(registry));
          if (sql === "COMMIT" && isBroken) throw new Error("the disk is gone");
          return target.run(sql);
        };
      },
    }),
    registry,
    duplicates: await readDuplicates(connection),
    clock: createArrivalClock(Date.now, 0),
    onCommit: () => {},
    onFailure: (error) => failures.push(error),
  });
  try {
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
    const { duplicates, stored: kept } = await countsOf(connection);
    expect({ duplicates, kept }).toEqual({ duplicates: 0, kept: 3 });
  } finally {
    await log.close();
    connection.closeSync();
    database.close();
  }
});

async function countsOf(connection: { runAndReadAll(sql: string): Promise<{ getRows(): unknown[][] }> }) {
  const rows = await connection.runAndReadAll(
    "SELECT (SELECT count(*) FROM readings)::INTEGER, (SELECT duplicates + conflicts FROM repeats)::INTEGER",
  );
  const [stored, duplicates] = rows.getRows()[0] as [number, number];
  return { stored, duplicates };
}
