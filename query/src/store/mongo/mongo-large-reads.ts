import type { ClientSession, Db } from "mongodb";
import { createReadSlots } from "../read-slots.ts";
import { type CallLimit, type CallOptions, callMongo, largeCall } from "./mongo-call.ts";

/** The arguments that a large read passes to every command. */
export type LargeReadOptions = CallOptions & { readonly session: ClientSession };

/**
 * Runs a read of many documents. Its caller is released as soon as the signal aborts, or after the time limit of large
 * calls; the database is then asked to end its work, and until it has, no other read takes its slot: a caller that
 * retries after its deadline never adds to the load.
 * @throws like `callMongo` for a large call; RpcError RESOURCE_EXHAUSTED if too many reads wait.
 */
export type LargeReads = <Result>(
  signal: AbortSignal,
  act: (options: LargeReadOptions) => Promise<Result>,
) => Promise<Result>;

/** Number of concurrent pipelines of a read, each on a separate connection. */
const slots = { atOnceMax: 6, waitingMax: 64 };

/** How long the database may continue after the time limit before its connections are cut, in ms. */
const cutDelayMs = 3000;

/** Creates the large reads of a database. */
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
      // Otherwise the driver would repeat a read whose connection was closed by its own time limit.
      const timer = setTimeout(
        () => cut.abort(new Error("the database continues after its time limit")),
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
 * Resolves with the results of all work once all of it has ended, so that no slot is released while a part continues.
 * @throws the error of the first part, in their order, that failed.
 */
export async function allEnded<Work extends readonly unknown[] | []>(
  work: Work,
): Promise<{ -readonly [Part in keyof Work]: Awaited<Work[Part]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** Settles like `work`, or rejects with the signal's reason when it aborts; `onAbort` is called then. */
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
    // After an abort, nothing else listens to its end.
    work.catch(() => {});
  }
}

/** Asks the database to end everything that runs in a session. A user may always do so for its own sessions. */
function killSession(db: Db, session: ClientSession): void {
  const id = session.id?.id;
  if (id === undefined) return;
  db.command({ killSessions: [{ id }] }).catch(() => {});
}
