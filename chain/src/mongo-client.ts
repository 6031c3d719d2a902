import { type Db, MongoClient } from "mongodb";

/** A connection to the mesh's database. */
export type MongoConnection = AsyncDisposable & { readonly client: MongoClient; readonly db: Db };

/**
 * Opens a connection; it is made with the first operation, and again whenever it was lost. Writes are
 * acknowledged by a majority and journaled; reads see what a majority has.
 */
export function openMongo(options: {
  readonly url: string;
  readonly database: string;
  /** Shown in the database's logs. */
  readonly appName: string;
  /** How long to look for the database before an operation fails, in ms. */
  readonly selectionTimeoutMs?: number;
  /** How long one round trip may take, in ms. */
  readonly socketTimeoutMs?: number;
  readonly poolMax?: number;
}): MongoConnection {
  const {
    url,
    database,
    appName,
    selectionTimeoutMs = 2000,
    socketTimeoutMs = 60_000,
    poolMax = 32,
  } = options;
  const client = new MongoClient(url, {
    appName,
    serverSelectionTimeoutMS: selectionTimeoutMs,
    connectTimeoutMS: selectionTimeoutMs,
    socketTimeoutMS: socketTimeoutMs,
    maxPoolSize: poolMax,
    writeConcern: { w: "majority", journal: true },
    readConcern: { level: "majority" },
  });
  return { client, db: client.db(database), [Symbol.asyncDispose]: () => client.close() };
}
