import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { cutTornLog } from "./torn-log.ts";

const entryAt = 1000;

function errorOf(log: string, what: string): Error {
  return new Error(`IO Error: Failure while replaying WAL file "${log}": Corrupt WAL file: entry ${what}`);
}

/** A log of 4,000 bytes whose sectors from `zerosFrom` on were never written. */
function writeLog(folder: string, zerosFrom: number): string {
  const log = join(folder, "store.wal");
  writeFileSync(log, Buffer.alloc(4000, 7).fill(0, zerosFrom));
  return log;
}

describe("a write-ahead log that the engine cannot read", () => {
  it("is cut before the torn entry, and its original is kept", async () => {
    using folder = temporaryFolder();
    const log = writeLog(folder.path, 2048);
    const before = readFileSync(log);
    const error = errorOf(
      log,
      `at byte position ${entryAt + 16} computed checksum 1 does not match stored checksum 2`,
    );
    const copy = await cutTornLog(error);
    expect(statSync(log).size).toBe(entryAt);
    expect(readFileSync(copy as string)).toEqual(before);
  });

  it("is not changed if the damage is not a missing end, or lies before the last entry", async () => {
    using folder = temporaryFolder();
    const log = writeLog(folder.path, 4000);
    const error = errorOf(
      log,
      `at byte position ${entryAt + 16} computed checksum 1 does not match stored checksum 2`,
    );
    expect(await cutTornLog(error)).toBeUndefined();
    expect(await cutTornLog(new Error("IO Error: Could not set lock on file"))).toBeUndefined();
    expect(statSync(log).size).toBe(4000);
  });

  it("is cut if the file ends within the entry", async () => {
    using folder = temporaryFolder();
    const log = writeLog(folder.path, 4000);
    const error = errorOf(
      log,
      `size exceeded remaining data in file at byte position ${entryAt + 16} (found entry with size 9)`,
    );
    expect(await cutTornLog(error)).toBe(`${log}.torn`);
    expect(statSync(log).size).toBe(entryAt);
  });
});
