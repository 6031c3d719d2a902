import type { Db, Document } from "mongodb";
import { expect, it } from "vitest";
import { readDatabaseDisk } from "./mongo-database-disk.ts";

function databaseOf(answer: () => Promise<Document>): Db {
  return { command: answer } as unknown as Db;
}

const { signal } = new AbortController();

it("the disk of a database is the one that the server reports, and undefined if it reports none or does not answer", async () => {
  const real = databaseOf(async () => ({ ok: 1, fsTotalSize: 1000, fsUsedSize: 900 }));
  expect(await readDatabaseDisk(real, signal)).toEqual([
    { name: "of the database", totalBytes: 1000, freeBytes: 100, hasFailed: false },
  ]);
  expect(
    await readDatabaseDisk(
      databaseOf(async () => ({ ok: 1 })),
      signal,
    ),
  ).toEqual([]);
  expect(
    await readDatabaseDisk(
      databaseOf(() => Promise.reject(new Error("unavailable"))),
      signal,
    ),
  ).toEqual([]);
});
