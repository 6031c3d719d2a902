import { setTimeout as delay } from "node:timers/promises";
import { collections } from "@devicemesh/pipeline";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import { BSON, type Db, type Document } from "mongodb";
import { type BenchStore, openBenchStore } from "../mesh/mongo-bench-store.ts";
import type { Burst } from "./burst.ts";

/** The mesh's database, with what the bench of late readings asks of it. */
export type LateStore = BenchStore & {
  /** Begins to watch the growth of the collections that the sinks write. */
  watchSinks(signal: AbortSignal): {
    stop(): Promise<Pick<Burst, "readingsSinkSeconds" | "partialsSinkSeconds">>;
  };
  /** Returns the documents of this span of timestamps. */
  documentsOf(span: {
    readonly sinceMs: number;
    readonly toMs: number;
  }): Promise<Pick<Burst, "readings" | "partials" | "readingBytes" | "partialBytes">>;
};

const watchEveryMs = 100;
const windowMs = 10_000;
const sampleSize = 1000;

/** Opens the database. */
export function openLateStore(options: { readonly url: string; readonly database: string }): LateStore {
  const store = openBenchStore(options);
  const mongo = openMongo({ ...options, appName: "devicemesh-bench" });
  const { db } = mongo;
  return {
    ...store,
    watchSinks(signal) {
      const stopping = new AbortController();
      const until = AbortSignal.any([signal, stopping.signal]);
      const both = Promise.all([
        growthSeconds(store.countReadings, until),
        growthSeconds(store.countPartials, until),
      ]);
      both.catch(() => {});
      return {
        async stop() {
          stopping.abort();
          const [readingsSinkSeconds, partialsSinkSeconds] = await both;
          return { readingsSinkSeconds, partialsSinkSeconds };
        },
      };
    },
    async documentsOf({ sinceMs, toMs }) {
      const span = (fromMs: number) => ({ $gte: new Date(fromMs), $lt: new Date(toMs) });
      const readings = await documents(db, collections.messages, { timestamp: span(sinceMs) });
      const partials = await documents(db, collections.windows, { window_start: span(sinceMs - windowMs) });
      return {
        readings: readings.count,
        readingBytes: readings.bytes,
        partials: partials.count,
        partialBytes: partials.bytes,
      };
    },
    async [Symbol.asyncDispose]() {
      await mongo[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** The largest number of documents a second by which a collection grows by itself: one simulated device. */
const backgroundRate = 10;

/** Returns the time from the first growth of a burst to its last, in s. */
async function growthSeconds(countDocuments: () => Promise<number>, signal: AbortSignal): Promise<number> {
  let known = await countDocuments();
  let firstMs: number | undefined;
  let lastMs = 0;
  while (!signal.aborted) {
    await delay(watchEveryMs, undefined, { signal }).catch(() => {});
    const count = await countDocuments();
    if (count - known > backgroundRate) {
      lastMs = performance.now();
      firstMs ??= lastMs - watchEveryMs;
    }
    known = count;
  }
  return firstMs === undefined ? 0 : (lastMs - firstMs) / 1000;
}

/** Returns the number of matching documents, and the mean size of some of them. */
async function documents(
  db: Db,
  collection: string,
  filter: Document,
): Promise<{ readonly count: number; readonly bytes: number }> {
  const count = await db.collection(collection).countDocuments(filter);
  const sample = await db.collection(collection).find(filter).limit(sampleSize).toArray();
  const bytes = sample.reduce((sum, document) => sum + BSON.calculateObjectSize(document), 0);
  return { count, bytes: bytes / sample.length };
}
