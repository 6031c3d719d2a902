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
   * Resolves if the first connection was made; waits for the attempt under way.
   * @throws what the last attempt failed with, such as a host name that cannot be resolved.
   */
  connected(): Promise<void>;
};

/** Between an attempt at the first connection that failed and the next, in ms. */
const retryMs = 500;

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
 * Opens a connection without waiting for it: it is made in the background, tried again until it succeeds, and made
 * again by the driver whenever it is lost. Operations before the first connection reject; `connected` says why. Writes
 * are acknowledged by a majority and journaled; reads see what a majority has.
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
  return { client, db: client.db(database), ...connectUntilMade(client) };
}

/**
 * Connects again and again until it succeeds. The driver gives a client up whose first connection fails: every later
 * operation rejects with "Topology is closed", whatever becomes of the database. Only another `connect` helps.
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
      // The attempt under way may have succeeded in between.
      await client.close();
    },
  };
}
