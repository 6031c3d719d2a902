import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { planRead } from "@devicemesh/query";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type FileOperation,
  filesAfterPowerLoss,
  type Loss,
  readOperations,
  writeFiles,
} from "../testing/power-loss/recorded-writes.ts";
import { unitReadings } from "../testing/power-loss/units.ts";
import { openEmbeddedStore } from "./duckdb-store.ts";

const here = (file: string): string =>
  fileURLToPath(new URL(`../testing/power-loss/${file}`, import.meta.url));
const units = 100;
const acksFile = "acks";
const signal = AbortSignal.timeout(600_000);

/** A random sequence from a seed, so that a failure can be reproduced. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

/** Returns the number of stored readings of each unit. */
async function storedUnits(folder: string): Promise<ReadonlyMap<string, number>> {
  await using store = await openEmbeddedStore({ folder, clock: Date.now });
  const { readings } = store;
  const horizon = await readings.readHorizon(signal);
  const { plan } = planRead({ sinceMs: 0, toMs: Date.UTC(2100, 0), levels: readings.levels, horizon });
  const { partials } = await readings.readPartials({ plan, filter: { deviceIds: [], sensors: [] } }, signal);
  const counts = new Map<string, number>();
  for (const { deviceId, count } of partials) counts.set(deviceId, (counts.get(deviceId) ?? 0) + count);
  return counts;
}

describe("a store whose machine loses power", () => {
  const recorded = temporaryFolder();
  let operations: FileOperation[] = [];

  beforeAll(() => {
    const recorder = join(recorded.path, "record-writes.so");
    execFileSync("gcc", [
      "-shared",
      "-fPIC",
      "-O2",
      "-o",
      recorder,
      here("record-writes.c"),
      "-ldl",
      "-lpthread",
    ]);
    const folder = join(recorded.path, "data");
    const log = join(recorded.path, "log");
    execFileSync(
      process.execPath,
      [here("store-process.ts"), folder, join(folder, acksFile), String(units)],
      {
        env: {
          ...process.env,
          LD_PRELOAD: recorder,
          DEVICEMESH_RECORD_FOLDER: folder,
          DEVICEMESH_RECORD_FILE: log,
        },
      },
    );
    operations = readOperations(log, folder);
  }, 300_000);
  afterAll(() => recorded[Symbol.dispose]());

  it("wrote the operations under test: write-ahead logs, syncs, and checkpoints that replace them", () => {
    const count = (kind: FileOperation["kind"], file: RegExp): number =>
      operations.filter((operation) => operation.kind === kind && file.test(operation.file)).length;
    expect(count("write", /\.wal$/)).toBeGreaterThan(units / 2);
    expect(count("sync", /\.wal$/)).toBeGreaterThan(units / 2);
    expect(count("sync", /\.duckdb$/)).toBeGreaterThan(3);
    expect(count("write", /^acks$/)).toBe(units);
  });

  for (const loss of ["none", "some"] as const satisfies readonly Loss[]) {
    it(`has every acknowledged unit, and none in part, with ${loss} of the writes that were not synced`, async () => {
      const random = createRandom(loss === "none" ? 1 : 2);
      for (let crash = 0; crash < 15; crash++) {
        const cut = Math.floor(random() * operations.length);
        const before = operations.slice(0, cut);
        const acknowledged = before
          .filter(({ kind, file }) => kind === "write" && file === acksFile)
          .map(({ data }) => `unit-${data.toString().trim()}`);
        using folder = temporaryFolder();
        writeFiles(
          folder.path,
          filesAfterPowerLoss(
            before.filter(({ file }) => file !== acksFile),
            { loss, random },
          ),
        );
        const stored = await storedUnits(folder.path);
        const where = `power lost after operation ${cut}`;
        expect(
          acknowledged.filter((unit) => stored.get(unit) !== unitReadings),
          where,
        ).toEqual([]);
        expect(
          [...stored].filter(([, count]) => count !== unitReadings),
          where,
        ).toEqual([]);
        expect(stored.size, where).toBeLessThanOrEqual(acknowledged.length + 1);
      }
    }, 300_000);
  }
});
