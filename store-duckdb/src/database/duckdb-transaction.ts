import type { DuckDBConnection } from "@duckdb/node-api";

/**
 * Runs a change in one transaction, all of it or none.
 * @throws what the change or the engine throws; nothing of the change is stored then.
 */
export async function inTransaction<Result>(
  connection: Pick<DuckDBConnection, "run">,
  change: () => Promise<Result>,
): Promise<Result> {
  await begin(connection);
  try {
    const result = await change();
    await connection.run("COMMIT");
    return result;
  } catch (error) {
    // The cause is what the caller needs; a rollback that fails too is done before the next transaction.
    await connection.run("ROLLBACK").catch(() => {});
    throw error;
  }
}

/** Without memory even a rollback fails, and then the connection refuses every statement until one has succeeded. */
async function begin(connection: Pick<DuckDBConnection, "run">): Promise<void> {
  try {
    await connection.run("BEGIN TRANSACTION");
  } catch {
    await connection.run("ROLLBACK").catch(() => {});
    await connection.run("BEGIN TRANSACTION");
  }
}
