import { RpcError, unavailable } from "@devicemesh/kit/rpc/rpc-error";
import {
  MongoClientClosedError,
  MongoError,
  MongoExpiredSessionError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerClosedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from "mongodb";

/** The limits of a call to the database. */
export type CallLimit = {
  /** Time limit in total, in ms. */
  readonly timeoutMs: number;
  /** The message at the time limit: the database does not answer, or the query is too large. */
  readonly isQuick: boolean;
};

/** Reads of single small documents: a slower database counts as unavailable. */
export const quickCall: CallLimit = { timeoutMs: 2500, isQuick: true };

/** Reads of many documents; below the longest time of a call of query. */
export const largeCall: CallLimit = { timeoutMs: 55_000, isQuick: false };

/** The arguments of a call: the signal that cancels it, and the time limit for the server. */
export type CallOptions = { readonly signal: AbortSignal; readonly maxTimeMS: number };

/**
 * Calls the database and translates its errors.
 * @throws the signal's reason if it aborts; RpcError UNAVAILABLE if the database is unavailable (or a small call takes
 * too long), DEADLINE_EXCEEDED if a large one does. Other errors are passed on.
 */
export async function callMongo<Result>(
  signal: AbortSignal,
  { timeoutMs, isQuick }: CallLimit,
  act: (options: CallOptions) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  try {
    return await act({ signal: AbortSignal.any([signal, timeout.signal]), maxTimeMS: timeoutMs });
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.signal.aborted || isTimeUp(error)) throw tooSlow(error, isQuick);
    throw isUnavailable(error) ? databaseUnavailable(error) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Returns the error for an unreachable database. */
export function databaseUnavailable(cause: unknown): RpcError {
  return unavailable({ message: "the database is unavailable; try again", retryDelayMs: 1000, cause });
}

function tooSlow(cause: unknown, isQuick: boolean): RpcError {
  if (isQuick) return databaseUnavailable(cause);
  return new RpcError({
    code: "DEADLINE_EXCEEDED",
    message: "the database exceeded the time limit: request a shorter timeframe or fewer series",
    cause,
  });
}

/** Errors of a server that is stopping, starting, or no longer the primary. */
const passingCodes: ReadonlySet<unknown> = new Set([
  6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436,
]);

/** MaxTimeMSExpired. */
const timeIsUpCode = 50;

function isTimeUp(error: unknown): boolean {
  return (
    error instanceof MongoOperationTimeoutError ||
    (error instanceof MongoServerError && error.code === timeIsUpCode)
  );
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof MongoError)) return false;
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoTopologyClosedError ||
    error instanceof MongoClientClosedError ||
    error instanceof MongoServerClosedError ||
    error instanceof MongoExpiredSessionError ||
    (error instanceof MongoServerError && passingCodes.has(error.code))
  );
}
