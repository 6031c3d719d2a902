import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { expect, it } from "vitest";
import { openDuckdb } from "./duckdb-database.ts";
import { inTransaction } from "./duckdb-writes.ts";

it("works again after a change and its rollback have failed, and keeps nothing of that change", async () => {
  using folder = temporaryFolder();
  const database = await openDuckdb(folder.path, { memoryMib: 64, threads: 1 });
  const connection = await database.connect();
  let isRollbackBroken = true;
  const run: typeof connection.run = async (sql) => {
    if (sql === "ROLLBACK" && isRollbackBroken) throw new Error("failed to pin block");
    return connection.run(sql);
  };
  try {
    await connection.run("CREATE TABLE numbers (number INTEGER PRIMARY KEY)");
    const insert = (...numbers: number[]) =>
      inTransaction({ run }, async () => {
        for (const number of numbers) await run(`INSERT INTO numbers VALUES (${number})`);
      });
    await expect(insert(1, 2, 2)).rejects.toThrow(/constraint/i);
    isRollbackBroken = false;
    await insert(3);
    const stored = await connection.runAndReadAll("SELECT number FROM numbers");
    expect(stored.getRows()).toEqual([[3]]);
  } finally {
    connection.closeSync();
    database.close();
  }
});
