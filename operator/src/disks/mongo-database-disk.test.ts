import type { Db, Document } from "mongodb";
import { describe, expect, it } from "vitest";
import { createDatabaseDiskReader } from "./mongo-database-disk.ts";

/** A database that gives these answers, in order, and the last one from then on. */
function databaseOf(...answers: (Document | Error)[]) {
  let asked = 0;
  const command = async () => {
    const answer = answers[Math.min(asked++, answers.length - 1)]!;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { db: { command } as unknown as Db, asked: () => asked };
}

const { signal } = new AbortController();
const disk = { name: "of the database", totalBytes: 1000, freeBytes: 100, hasFailed: false };
const reported = { ok: 1, fsTotalSize: 1000, fsUsedSize: 900 };

describe("the disk of a database", () => {
  it("is the one that the server reports, each time", async () => {
    const { db, asked } = databaseOf(reported, { ...reported, fsUsedSize: 950 });
    const read = createDatabaseDiskReader(db);
    expect(await read(signal)).toEqual([disk]);
    expect(await read(signal)).toEqual([{ ...disk, freeBytes: 50 }]);
    expect(asked()).toBe(2);
  });

  it("is unknown while the server does not answer, and asked for again", async () => {
    const { db } = databaseOf(new Error("unavailable"), reported);
    const read = createDatabaseDiskReader(db);
    expect(await read(signal)).toEqual([]);
    expect(await read(signal)).toEqual([disk]);
  });

  it("is not asked for again if the server answers without it, because the answer may cost a count of all documents", async () => {
    const { db, asked } = databaseOf({ ok: 1, objects: 40_000 });
    const read = createDatabaseDiskReader(db);
    expect(await read(signal)).toEqual([]);
    expect(await read(signal)).toEqual([]);
    expect(asked()).toBe(1);
  });
});
