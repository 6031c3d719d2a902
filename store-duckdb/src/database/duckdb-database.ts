import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance, version } from "@duckdb/node-api";
import { createSchema } from "./store-sql.ts";
import { cutTornLog } from "./torn-log.ts";

/** The name of the store's one file in the data folder. */
export const storeFileName = "devicemesh.duckdb";

/** The store's file cannot be opened; the message has the cause and the solution. */
export class StoreOpenError extends Error {}

/** The open database file. */
export type DuckdbDatabase = {
  readonly file: string;
  /**
   * The path of a copy of the write-ahead log whose torn end was cut when it was opened; undefined if it was intact.
   */
  readonly tornLog: string | undefined;
  /** The version of the engine. */
  readonly version: string;
  connect(): Promise<DuckDBConnection>;
  /** Bytes on disk, including the write-ahead log. */
  diskBytes(): Promise<number>;
  /** Unused bytes of the file: it can store this much without growing. */
  reusableBytes(connection: DuckDBConnection): Promise<number>;
  /** Keeps the file and its write-ahead log as they are when it is closed: no checkpoint is written. */
  keepFile(connection: DuckDBConnection): Promise<void>;
  /** Closes the file; the connections must be closed before. */
  close(): void;
};

/** The resources of the database. */
export type DuckdbLimits = {
  /** Maximum memory for its buffers, in MiB. */
  readonly memoryMib: number;
  /** Maximum number of threads for one statement. */
  readonly threads: number;
  /**
   * The free space that is reserved, in bytes: a small reserve also means a small write-ahead log and small spilled
   * queries.
   */
  readonly minFreeBytes?: number | undefined;
};

/**
 * Opens, and if needed creates, the store's file in `folder`.
 * @throws StoreOpenError if another process has it open, or it cannot be read or written.
 */
export async function openDuckdb(folder: string, limits: DuckdbLimits): Promise<DuckdbDatabase> {
  const file = join(folder, storeFileName);
  const { instance, tornLog } = await openOrRepair(folder, file, limits);
  const connection = await instance.connect();
  try {
    for (const statement of createSchema) await connection.run(statement);
  } finally {
    connection.closeSync();
  }
  return {
    file,
    tornLog,
    version: version(),
    connect: () => instance.connect(),
    diskBytes: async () => (await sizeOf(file)) + (await sizeOf(`${file}.wal`)),
    async reusableBytes(connection) {
      const result = await connection.runAndReadAll(
        "SELECT (free_blocks * block_size)::DOUBLE FROM pragma_database_size()",
      );
      return (result.getRows()[0]?.[0] as number | undefined) ?? 0;
    },
    async keepFile(connection) {
      // It fails only if the engine has invalidated the database: then no checkpoint is written either.
      await connection.run("PRAGMA disable_checkpoint_on_shutdown").catch(() => {});
    },
    close: () => instance.closeSync(),
  };
}

const mib = 1024 ** 2;

/** The engine's own sizes, smaller for a smaller reserve: a checkpoint writes the log's content a second time. */
function diskLimits(minFreeBytes = Number.POSITIVE_INFINITY): Record<string, string> {
  const walBytes = Math.max(Math.min(16 * mib, minFreeBytes / 4), mib);
  const spillBytes = Math.max(Math.min(1024 * mib, minFreeBytes * 2), 16 * mib);
  return {
    checkpoint_threshold: `${Math.floor(walBytes / 1024)}KiB`,
    max_temp_directory_size: `${Math.floor(spillBytes / 1024)}KiB`,
  };
}

async function openInstance(
  folder: string,
  file: string,
  { memoryMib, threads, minFreeBytes }: DuckdbLimits,
): Promise<DuckDBInstance> {
  await mkdir(folder, { recursive: true });
  return DuckDBInstance.create(file, {
    memory_limit: `${memoryMib}MiB`,
    threads: String(threads),
    temp_directory: join(folder, "spill"),
    ...diskLimits(minFreeBytes),
    // The store needs no extension, so none may be loaded.
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
}

async function openOrRepair(
  folder: string,
  file: string,
  limits: DuckdbLimits,
): Promise<{ readonly instance: DuckDBInstance; readonly tornLog: string | undefined }> {
  try {
    return { instance: await openInstance(folder, file, limits), tornLog: undefined };
  } catch (error) {
    const tornLog = await cutTornLog(error);
    if (tornLog === undefined) throw openError(file, error);
    return {
      tornLog,
      instance: await openInstance(folder, file, limits).catch((again) => {
        throw openError(file, again);
      }),
    };
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
