import type { ClientSession, Db } from "mongodb";
import { createReadSlots } from "../read-slots.ts";
import { type CallLimit, type CallOptions, callMongo, largeCall } from "./mongo-call.ts";

/** What a large read hands to every command. */
export type LargeReadOptions = CallOptions & { readonly session: ClientSession };

/**
 * Runs a read of many documents. Its caller is let go as soon as the signal aborts, or after the limit of large
 * calls; the database is asked to end its work then, and until it has, no other read takes its place: a caller that
 * asks again after its deadline never adds to the load.
 * @throws as `callMongo` does for a large call; RpcError RESOURCE_EXHAUSTED if too many reads wait.
 */
export type LargeReads = <Result>(
  signal: AbortSignal,
  act: (options: LargeReadOptions) => Promise<Result>,
) => Promise<Result>;

/** Each read runs some pipelines at a time, each on a connection of its own. */
const slots = { atOnceMax: 6, waitingMax: 64 };

/** How long the database may go on after the limit before its connections are cut, in ms. */
const cutDelayMs = 3000;

/** Makes the large reads of a database. */
export function createLargeReads(
  db: Db,
  { limit = largeCall, ...settings }: { readonly limit?: CallLimit } & Partial<typeof slots> = {},
): LargeReads {
  const { take } = createReadSlots({ ...slots, ...settings });
  return (callerSignal, act) =>
    callMongo(callerSignal, limit, async ({ signal, maxTimeMS }) => {
      const free = await take(signal);
      const session = db.client.startSession({ causalConsistency: false });
      const cut = new AbortController();
      // The driver would repeat a read whose connection was closed by a time limit of its own.
      const timer = setTimeout(
        () => cut.abort(new Error("the database goes on after its time limit")),
        maxTimeMS + cutDelayMs,
      );
      const work = act({ session, maxTimeMS, signal: cut.signal }).finally(async () => {
        clearTimeout(timer);
        free();
        await session.endSession().catch(() => {});
      });
      return untilAborted(work, signal, () => killSession(db, session));
    });
}

/**
 * Resolves with the results of all work once all of it has ended, so that no slot is given back while a part goes on.
 * @throws what the first part that failed, in their order, threw.
 */
export async function allEnded<Work extends readonly unknown[] | []>(
  work: Work,
): Promise<{ -readonly [Part in keyof Work]: Awaited<Work[Part]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** Settles as `work` does, or rejects with the signal's reason when it aborts; `onAbort` is called then. */
async function untilAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal,
  onAbort: () => void,
): Promise<Result> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const leave = (): void => {
    onAbort();
    reject(signal.reason);
  };
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", leave);
    // After an abort its end has no listener.
    work.catch(() => {});
  }
}

/** Asks the database to end all that runs in a session. A user may always do so for sessions of its own. */
function killSession(db: Db, session: ClientSession): void {
  const id = session.id?.id;
  if (id === undefined) return;
  db.command({ killSessions: [{ id }] }).catch(() => {});
}
