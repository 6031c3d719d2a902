import { randomBytes } from "node:crypto";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { collections, type DeadLetterKind, type SeriesDuplicatesDocument } from "@devicemesh/pipeline";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import { describe, expect, it } from "vitest";
import type { DeadLetter } from "./dead-letter.ts";
import type { JudgedLetter } from "./dead-letter-store.ts";
import { createMongoDeadLetterStore } from "./mongo-dead-letter-store.ts";

const engines = await testEngines();
const startMs = Date.UTC(2026, 10, 23, 20);

function judged(offset: number, kind: DeadLetterKind, deviceId = "a"): JudgedLetter {
  const timestamp = new Date(startMs + offset).toISOString();
  const letter: DeadLetter = {
    origin: { topic: "messages", partition: 0, offset },
    reason: "known",
    stage: "TASK_PUT",
    code: 11_000,
    key: `${deviceId}|temperature|${timestamp}`,
    value: Buffer.from(JSON.stringify({ value: kind === "conflict" ? 100 + offset : 20 })),
    arrivedMs: startMs + 60_000 + offset,
  };
  return { letter, kind, storedValue: 20 };
}

async function openStore() {
  const database = `operator_test_${randomBytes(4).toString("hex")}`;
  const connection = openMongo({ url: engines?.mongodbUrl ?? "", database, appName: "test" });
  const { db } = connection;
  return {
    store: createMongoDeadLetterStore(db),
    found: () =>
      db.collection<SeriesDuplicatesDocument>(collections.seriesDuplicates).find().sort({ _id: 1 }).toArray(),
    forget: () => db.collection(collections.seriesDuplicates).deleteMany({}),
    async [Symbol.asyncDispose]() {
      await db.dropDatabase();
      await connection[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(!engines)("the duplicates and conflicts of each series in MongoDB", () => {
  it("are counted once however often a letter is read, also if the operator stopped in between", async () => {
    await using test = await openStore();
    const first = [
      judged(1, "duplicate"),
      judged(2, "conflict"),
      judged(3, "redelivery"),
      judged(4, "invalid"),
    ];
    const second = [judged(5, "duplicate"), judged(6, "duplicate", "b")];
    await test.store.write({ letters: first, marks: [] });
    await test.store.write({ letters: second, marks: [] });
    const once = await test.found();
    expect(once).toMatchObject([
      { _id: "a|temperature", duplicates: 2, conflicts: 1 },
      { _id: "b|temperature", duplicates: 1, conflicts: 0, latest_conflicts: [] },
    ]);
    await test.store.write({ letters: [...first, ...second], marks: [] });
    expect(await test.found()).toEqual(once);
    // The letters are stored and the counts are not; then the same letters are read again.
    await test.forget();
    await test.store.write({ letters: [...first, ...second], marks: [] });
    expect(await test.found()).toEqual(once);
  });

  it("keep the latest conflicts with both values, the newest first", async () => {
    await using test = await openStore();
    const offsets = Array.from({ length: 8 }, (_, offset) => offset);
    for (const offset of offsets) {
      await test.store.write({ letters: [judged(offset, "conflict")], marks: [] });
    }
    const [found] = await test.found();
    expect(found?.conflicts).toBe(8);
    expect(found?.latest_conflicts).toEqual(
      [7, 6, 5, 4, 3].map((offset) => ({
        timestamp: new Date(startMs + offset),
        stored_value: 20,
        refused_value: 100 + offset,
        arrived: new Date(startMs + 60_000 + offset),
      })),
    );
  });
});
