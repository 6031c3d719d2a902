import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance, version } from "@duckdb/node-api";
import { createSchema } from "./store-sql.ts";

/** The name of the store's one file in the data folder. */
export const storeFileName = "devicemesh.duckdb";

/** The store's file cannot be opened; the message says why and what to do. */
export class StoreOpenError extends Error {}

/** The open database file. */
export type DuckdbDatabase = {
  readonly file: string;
  /** The version of the engine. */
  readonly version: string;
  connect(): Promise<DuckDBConnection>;
  /** Bytes on disk, the write-ahead log included. */
  diskBytes(): Promise<number>;
  /** Closes the file; the connections must be closed before. */
  close(): void;
};

/** How the database may use the machine. */
export type DuckdbLimits = {
  /** The most memory for its buffers, in MiB. */
  readonly memoryMib: number;
  /** The most threads for one statement. */
  readonly threads: number;
};

/**
 * Opens, and if need be creates, the store's file in `folder`.
 * @throws StoreOpenError if another process has it open, or it cannot be read or written.
 */
export async function openDuckdb(folder: string, limits: DuckdbLimits): Promise<DuckdbDatabase> {
  const file = join(folder, storeFileName);
  const instance = await openInstance(folder, file, limits);
  const connection = await instance.connect();
  try {
    for (const statement of createSchema) await connection.run(statement);
  } finally {
    connection.closeSync();
  }
  return {
    file,
    version: version(),
    connect: () => instance.connect(),
    diskBytes: async () => (await sizeOf(file)) + (await sizeOf(`${file}.wal`)),
    close: () => instance.closeSync(),
  };
}

async function openInstance(folder: string, file: string, limits: DuckdbLimits): Promise<DuckDBInstance> {
  try {
    await mkdir(folder, { recursive: true });
    return await DuckDBInstance.create(file, {
      memory_limit: `${limits.memoryMib}MiB`,
      threads: String(limits.threads),
      temp_directory: join(folder, "spill"),
      // Nothing is loaded from outside: the store needs no extension.
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
    });
  } catch (error) {
    throw openError(file, error);
  }
}

function openError(file: string, error: unknown): StoreOpenError {
  const reason = error instanceof Error ? error.message : String(error);
  if (/conflicting lock|could not set lock|being used by another process/i.test(reason)) {
    const holder = /PID (\d+)/.exec(reason)?.[1];
    return new StoreOpenError(
      `the store ${file} is in use by another process${holder ? ` (process id ${holder})` : ""}: stop that one, or choose another folder with --data`,
      { cause: error },
    );
  }
  return new StoreOpenError(`the store ${file} cannot be opened: ${reason}`, { cause: error });
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}
