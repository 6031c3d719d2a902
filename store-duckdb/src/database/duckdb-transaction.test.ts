import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { openDuckdb } from "./duckdb-database.ts";
import { createDuckdbTransactions } from "./duckdb-writes.ts";
import { createMemoryGate } from "./memory-gate.ts";

/** A database with a table; `before` is called with each statement of a transaction. */
async function openNumbers(before: (sql: string) => void) {
  const folder = temporaryFolder();
  const database = await openDuckdb(folder.path, { memoryMib: 64, threads: 1 });
  const connection = await database.connect();
  await connection.run("CREATE TABLE numbers (number INTEGER PRIMARY KEY)");
  const run: typeof connection.run = async (sql) => {
    before(sql);
    return connection.run(sql);
  };
  const givenUp: unknown[] = [];
  const memory = createMemoryGate({ limitBytes: 64 * 1024 ** 2 });
  const transactions = createDuckdbTransactions({ memory, onGivenUp: (error) => givenUp.push(error) });
  return {
    connection,
    givenUp,
    memory,
    transactions,
    insert: (...numbers: number[]) =>
      transactions.run({ run }, async () => {
        for (const number of numbers) await run(`INSERT INTO numbers VALUES (${number})`);
      }),
    stored: async () => (await connection.runAndReadAll("SELECT number FROM numbers")).getRows(),
    [Symbol.asyncDispose]: async () => {
      connection.closeSync();
      database.close();
      folder[Symbol.dispose]();
    },
  };
}

function throwing(text: string): never {
  throw new Error(text);
}

describe("a transaction", () => {
  it("works again after a change and its rollback have failed, and keeps nothing of that change", async () => {
    let isRollbackBroken = true;
    await using opened = await openNumbers((sql) => {
      if (sql === "ROLLBACK" && isRollbackBroken) throwing("failed to pin block");
    });
    await expect(opened.insert(1, 2, 2)).rejects.toThrow(/constraint/i);
    isRollbackBroken = false;
    await opened.insert(3);
    expect(await opened.stored()).toEqual([[3]]);
    expect(opened.givenUp).toEqual([]);
  });

  // The texts are DuckDB's own.
  it.each([
    ["COMMIT", "Out of Memory Error: failed to pin block of size 256.0 KiB", "RESOURCE_EXHAUSTED"],
    ["COMMIT", "INTERNAL Error: Could not find node in column segment tree!", "UNAVAILABLE"],
    [
      "COMMIT",
      "FATAL Error: Failed to create checkpoint because of error: Out of Memory Error: failed to pin block",
      "RESOURCE_EXHAUSTED",
    ],
    ["INSERT", "INTERNAL Error: Attempted to access index 1 within vector of size 1", "UNAVAILABLE"],
  ])("closes the database if %s fails with %s: %s, and no later one begins", async (where, text, code) => {
    let isFailing = true;
    const statements: string[] = [];
    await using opened = await openNumbers((sql) => {
      statements.push(sql);
      if (isFailing && sql.startsWith(where)) throwing(text);
    });
    await expect(opened.insert(1)).rejects.toThrow(text);
    expect(opened.givenUp).toHaveLength(1);
    expect(opened.transactions.rejection()).toMatchObject({ code });

    isFailing = false;
    statements.length = 0;
    await expect(opened.insert(2)).rejects.toMatchObject({ code });
    expect(statements).toEqual([]);
    expect(await opened.stored()).toEqual([]);
  });

  it("treats a failure of the engine soon after a lack of memory as its consequence", async () => {
    await using opened = await openNumbers((sql) => {
      if (sql === "COMMIT") throwing("INTERNAL Error: Could not find node in column segment tree!");
    });
    opened.memory.ranOut();
    await expect(opened.insert(1)).rejects.toThrow("INTERNAL");
    expect(opened.transactions.rejection()).toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  });

  it("that needs more memory than reads leave runs without them, and others run while reads do", async () => {
    await using opened = await openNumbers(() => {});
    const { memory, insert } = opened;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    memory.reads.add({ ended, interrupt: () => {} });
    await insert(1);
    const order: string[] = [];
    const { leftBytes } = memory;
    const inserting = opened.transactions.run(
      opened.connection,
      async () => order.push("alone"),
      leftBytes + 1,
    );
    expect(memory.isReserved).toBe(true);
    order.push("read ends");
    memory.reads.clear();
    end();
    await inserting;
    expect(order).toEqual(["read ends", "alone"]);
    expect(memory.isReserved).toBe(false);
  });

  it("that runs out of memory before its commit is rolled back, and the next one works", async () => {
    let isFailing = true;
    await using opened = await openNumbers((sql) => {
      if (isFailing && sql.includes("(2)")) throwing("Out of Memory Error: could not allocate block");
    });
    await expect(opened.insert(1, 2)).rejects.toThrow("Out of Memory");
    expect(opened.memory.isShort).toBe(true);
    isFailing = false;
    await opened.insert(2);
    expect(await opened.stored()).toEqual([[2]]);
    expect(opened.givenUp).toEqual([]);
  });
});
