import { setTimeout as delay } from "node:timers/promises";
import { collections, type MessageDocument } from "@devicemesh/pipeline";
import type { Db } from "mongodb";
import { callMongo, quickCall } from "./mongo-call.ts";

/** What tells that readings were stored: the newest arrival, and how many there are. */
type Trace = { readonly newestMs: number; readonly count: number };

/** Yields whenever readings were stored. */
export type ChangeWatch = (signal: AbortSignal) => AsyncIterable<void>;

/** How often a waiting watcher looks, in ms: about as often as a watch may send. */
const pollEveryMs = 200;
/** How old a look of another watcher may be, in ms, so that a thousand watchers look no more often than a few. */
const traceCacheMs = 50;

/**
 * Makes a watch that asks the database for a trace of what is stored, while a watcher waits. It asks rather than
 * listens to a change stream: the cost is the same however many readings come, and it needs no replica set.
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

  function look(): Promise<Trace> {
    const now = performance.now();
    if (latest && now - latest.askedAt < traceCacheMs) return latest.trace;
    latest = { trace: ask(), askedAt: now };
    return latest.trace;
  }

  return (signal) => {
    const ended = AbortSignal.any([signal, closed]);
    // From the call on, not from when the first yield is asked for.
    const first = ask();
    first.catch(() => {});
    return {
      async *[Symbol.asyncIterator]() {
        const over = Promise.withResolvers<undefined>();
        const onEnd = (): void => over.resolve(undefined);
        ended.addEventListener("abort", onEnd);
        try {
          let seen = await Promise.race([first, over.promise]);
          // What was stored while the first trace was on its way may be in it, unseen by a read that began before.
          if (!ended.aborted) yield;
          while (!ended.aborted) {
            const trace = await Promise.race([look(), over.promise]);
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
