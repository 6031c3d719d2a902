import { withoutCredentials } from "@devicemesh/kit/credentials";
import { SettingsError } from "@devicemesh/kit/settings-error";
import { type Db, MongoClient, type MongoClientOptions } from "mongodb";
import { chainSettings } from "./settings.ts";

/** A connection to the mesh's database. */
export type MongoConnection = AsyncDisposable & { readonly client: MongoClient; readonly db: Db };

/**
 * A driver's client. The connection string is for no eye: what is wrong with it is said without it.
 * @throws SettingsError if it is none.
 */
export function clientOf(url: string, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(url, options);
  } catch (error) {
    const why = error instanceof Error ? withoutCredentials(error.message) : "it cannot be read";
    throw new SettingsError(`${chainSettings.mongodbUrl.flag} is no connection string of MongoDB: ${why}`);
  }
}

/**
 * Opens a connection; it is made with the first operation, and again whenever it was lost. Writes are
 * acknowledged by a majority and journaled; reads see what a majority has.
 * @throws SettingsError if `url` is no connection string.
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
  const client = clientOf(url, {
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
