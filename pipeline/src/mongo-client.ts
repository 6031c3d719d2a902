import { setTimeout as delay } from "node:timers/promises";
import { withoutCredentials } from "@devicemesh/kit/observability/redact-credentials";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { type Db, MongoClient, type MongoClientOptions } from "mongodb";
import { chainSettings } from "./settings.ts";

/** A connection to the mesh's database. */
export type MongoConnection = AsyncDisposable & {
  readonly client: MongoClient;
  readonly db: Db;
  /**
   * Resolves if the first connection was made; waits for the current attempt.
   * @throws the error of the last attempt, such as a host name that does not resolve.
   */
  connected(): Promise<void>;
};

/** Delay between a failed attempt at the first connection and the next, in ms. */
const retryMs = 500;

/**
 * Creates a client of the driver. The connection string is secret: the error describes the problem without it.
 * @throws SettingsError if the connection string is not valid.
 */
export function clientOf(url: string, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(url, options);
  } catch (error) {
    const why = error instanceof Error ? withoutCredentials(error.message) : "it cannot be read";
    throw new SettingsError(`${chainSettings.mongodbUrl.flag} is not a connection string of MongoDB: ${why}`);
  }
}

/**
 * Opens a connection without waiting for it: it is made in the background, with retries until it succeeds, and the
 * driver reconnects whenever it is lost. Operations before the first connection reject; `connected` rejects with the
 * cause. Writes are acknowledged by a majority and journaled; reads return majority-committed data.
 * @throws SettingsError if `url` is not a connection string.
 */
export function openMongo(options: {
  readonly url: string;
  readonly database: string;
  /** Shown in the database's logs. */
  readonly appName: string;
  /** Time limit for selecting a server before an operation fails, in ms. */
  readonly selectionTimeoutMs?: number;
  /** Time limit of one round trip, in ms. */
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
  return { client, db: client.db(database), ...connectUntilMade(client) };
}

/**
 * Connects repeatedly until it succeeds. After a failed first connection, the driver's client is unusable: every later
 * operation rejects with "Topology is closed", even if the database is available. Only another `connect` helps.
 */
function connectUntilMade(client: MongoClient): Pick<MongoConnection, "connected"> & AsyncDisposable {
  const stopping = new AbortController();
  const { signal } = stopping;
  let attempt: Promise<unknown> = client.connect();

  async function run(): Promise<void> {
    for (;;) {
      const made = await attempt.then(
        () => true,
        () => false,
      );
      if (made || signal.aborted) return;
      await delay(retryMs, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      attempt = client.connect();
    }
  }
  const running = run();
  return {
    async connected() {
      await attempt;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await client.close();
      await running;
      // The current attempt may have succeeded in between.
      await client.close();
    },
  };
}
