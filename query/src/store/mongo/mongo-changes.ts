import { setTimeout as delay } from "node:timers/promises";
import { collections, type MessageDocument } from "@devicemesh/pipeline";
import type { Db } from "mongodb";
import { callMongo, quickCall } from "./mongo-call.ts";

/** A trace that shows whether readings were stored: the newest arrival, and their number. */
type Trace = { readonly newestMs: number; readonly count: number };

/** Yields whenever readings were stored. */
export type ChangeWatch = (signal: AbortSignal) => AsyncIterable<void>;

/** Interval of polls while a watcher waits, in ms: about the rate of a watch's messages. */
const pollEveryMs = 200;
/**
 * Maximum age of another watcher's poll that is reused, in ms, so that a thousand watchers poll no more often than a
 * few.
 */
const traceCacheMs = 50;

/**
 * Creates a watch that polls the database for a trace of the stored readings, while a watcher waits. It polls instead
 * of using a change stream: the cost does not depend on the rate of readings, and it needs no replica set.
 */
export function createChangeWatch(options: { readonly db: Db; readonly closed: AbortSignal }): ChangeWatch {
  const { db, closed } = options;
  const messages = db.collection<MessageDocument>(collections.messages);
  let knownNewestMs = 0;
  let latest: { readonly trace: Promise<Trace>; readonly askedAt: number } | undefined;

  async function ask(): Promise<Trace> {
    return callMongo(closed, quickCall, async (limits) => {
      const [count, newest] = await Promise.all([
        messages.estimatedDocumentCount({ maxTimeMS: limits.maxTimeMS }),
        messages
          .find({ arrived: { $gte: new Date(knownNewestMs) } }, limits)
          .sort({ arrived: -1 })
          .limit(1)
          .project<Pick<MessageDocument, "arrived">>({ _id: 0, arrived: 1 })
          .toArray(),
      ]);
      knownNewestMs = newest[0]?.arrived.getTime() ?? 0;
      return { newestMs: knownNewestMs, count };
    });
  }

  function readTrace(): Promise<Trace> {
    const now = performance.now();
    if (latest && now - latest.askedAt < traceCacheMs) return latest.trace;
    latest = { trace: ask(), askedAt: now };
    return latest.trace;
  }

  return (signal) => {
    const ended = AbortSignal.any([signal, closed]);
    // From the call on, not from the first request for a yield.
    const first = ask();
    first.catch(() => {});
    return {
      async *[Symbol.asyncIterator]() {
        const over = Promise.withResolvers<undefined>();
        const onEnd = (): void => over.resolve(undefined);
        ended.addEventListener("abort", onEnd);
        try {
          let seen = await Promise.race([first, over.promise]);
          // The trace may include readings that were stored during its read, and that an earlier read lacks.
          if (!ended.aborted) yield;
          while (!ended.aborted) {
            const trace = await Promise.race([readTrace(), over.promise]);
            if (ended.aborted) return;
            const isChanged = trace?.newestMs !== seen?.newestMs || trace?.count !== seen?.count;
            seen = trace;
            if (isChanged) yield;
            else await delay(pollEveryMs, undefined, { signal: ended });
          }
        } catch (error) {
          if (!ended.aborted) throw error;
        } finally {
          ended.removeEventListener("abort", onEnd);
        }
      },
    };
  };
}
