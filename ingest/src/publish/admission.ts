// What is open in ingest, and how much of it may be: the calls, and the appends of their units.
import type { Logger } from "@devicemesh/kit/observability/logger";
import { RpcError, toStatus, unavailable } from "@devicemesh/kit/rpc/rpc-error";
import type { IngestCounters } from "../counters.ts";
import type { Appended, MessageBatch, MessageLog } from "../log/message-log.ts";
import type { CallAnswer, UnitResult } from "./publish-readings.ts";

/** Whether a call's answer is awaited: an AbortSignal in a tenth of its memory. Only the functions below change it. */
export type CallSignal = {
  /** Why the answer is not awaited any more; undefined while it is. */
  reason: RpcError | undefined;
  listeners: readonly (() => void)[];
};

/** Creates the signal of a call whose answer is awaited. */
export function createCallSignal(): CallSignal {
  return { reason: undefined, listeners: [] };
}

/** Ends the wait for an answer, and calls the listeners; only the first call for a signal has an effect. */
export function abortCall(signal: CallSignal, reason: RpcError): void {
  if (signal.reason !== undefined) return;
  signal.reason = reason;
  const { listeners } = signal;
  signal.listeners = [];
  for (const listener of listeners) listener();
}

/** Calls the listener once if the signal aborts from here on; returns a function that removes it. */
export function onCallAbort(signal: CallSignal, listener: () => void): () => void {
  signal.listeners = [...signal.listeners, listener];
  return () => {
    signal.listeners = signal.listeners.filter((other) => other !== listener);
  };
}

/** Throws the reason if the signal has aborted. */
export function throwIfAborted({ reason }: CallSignal): void {
  if (reason !== undefined) throw reason;
}

/** An open call of either method, over any protocol: it ends with `answer`. */
export type OpenCall = {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Aborts when the call is abandoned or cut: its work should then reject soon. */
  readonly signal: CallSignal;
};

/** The open calls, each answered exactly once. */
export type OpenCalls = {
  /** Number of open calls. */
  readonly size: number;
  /** Begins a call; its signal has aborted if no new calls are accepted. */
  open(path: string): OpenCall;
  /** No client waits for the answer any more: cancelled, deadline passed, disconnected. */
  abandon(call: OpenCall): void;
  /**
   * Resolves to the response of the call's work, or its error, and ends the call. It counts as success only if the
   * client stayed connected to the end.
   */
  answer(call: OpenCall, work: () => Promise<UnitResult>): Promise<CallAnswer>;
  /** From now on new calls are answered with UNAVAILABLE. Resolves when none is open. */
  drain(): Promise<void>;
  /** Answers the open calls with UNAVAILABLE. */
  cut(): void;
};

/** Creates a set without calls. */
export function createOpenCalls({
  counters,
  logger,
  createRequestId,
  retryDelayMs,
}: {
  readonly counters: IngestCounters;
  readonly logger: Logger;
  readonly createRequestId: () => string;
  readonly retryDelayMs: number;
}): OpenCalls {
  const open = new Set<OpenCall>();
  let draining = false;
  const drained = Promise.withResolvers<void>();

  function shuttingDown(): RpcError {
    return unavailable({ message: "ingest is shutting down", retryDelayMs });
  }

  function failed(error: unknown, { path }: OpenCall): CallAnswer {
    counters.failedUnits++;
    const isForLog = toStatus(error).internal || (error instanceof RpcError && error.cause !== undefined);
    if (!isForLog) return { kind: "error", error };
    const requestId = createRequestId();
    logger.error({ error, method: path, requestId }, "a call failed");
    return { kind: "error", error, requestId };
  }

  function succeeded({ response, refusedByRule }: UnitResult): CallAnswer {
    counters.units++;
    counters.accepted += Number(response.accepted);
    counters.refused += Number(response.refused);
    for (const [rule, count] of refusedByRule) {
      counters.refusedByRule.set(rule, (counters.refusedByRule.get(rule) ?? 0) + count);
    }
    return { kind: "response", response };
  }

  return {
    get size() {
      return open.size;
    },
    open(path) {
      const call = { path, signal: createCallSignal() };
      open.add(call);
      if (draining) abortCall(call.signal, shuttingDown());
      return call;
    },
    abandon: ({ signal }) => abortCall(signal, abandoned),
    async answer(call, work) {
      const { signal } = call;
      try {
        throwIfAborted(signal);
        const result = await work();
        throwIfAborted(signal);
        return succeeded(result);
      } catch (error) {
        if (signal.reason !== abandoned) return failed(signal.reason ?? error, call);
        counters.abandonedUnits++;
        return { kind: "abandoned" };
      } finally {
        open.delete(call);
        if (draining && open.size === 0) drained.resolve();
      }
    },
    drain() {
      draining = true;
      if (open.size === 0) drained.resolve();
      return drained.promise;
    },
    cut() {
      for (const { signal } of open) abortCall(signal, shuttingDown());
    },
  };
}

/** Why a call's signal aborts when no caller waits for its answer. */
const abandoned = new RpcError({ code: "CANCELLED", message: "the client disconnected" });

/** The appends of one commit unit. */
export type UnitAppends = {
  /**
   * Appends a batch. Returns nothing if the stream may continue at once, or a promise that resolves when it may, and
   * rejects with the signal's reason or the first append's error.
   */
  add(batch: MessageBatch): Promise<void> | undefined;
  /**
   * Resolves when all is durably stored, to what the log found; undefined if it does not know that of each append.
   * Rejects with the first append's error.
   */
  drained(): Promise<Appended | undefined>;
};

/** Admits the appends of all units to the log. It is the only bound on what the log holds. */
export type AppendAdmission = {
  /** Number of admitted readings that the log has not acknowledged. */
  readonly readings: number;
  /** Begins a unit with at most `appendsMax` appends in flight. */
  openUnit(unit: {
    readonly appendsMax: number;
    readonly signal: CallSignal;
    /** Called at the first failed append, so that the stream can stop. */
    readonly onFailure: () => void;
  }): UnitAppends;
};

/**
 * Admits at most `readingsMax` readings of all units in flight; a larger append is admitted alone. Appends that do not
 * fit wait in order of arrival, at most one of each unit.
 */
export function createAppendAdmission({
  log,
  readingsMax,
  release = () => {},
}: {
  readonly log: MessageLog;
  readonly readingsMax: number;
  /** Called with each batch that the log has stored and does not use any more. */
  readonly release?: (batch: MessageBatch) => void;
}): AppendAdmission {
  let readings = 0;
  const waiting = new Set<{ readonly count: number; enter(): void }>();

  function fits(count: number): boolean {
    return readings === 0 || readings + count <= readingsMax;
  }

  function admitWaiting(): void {
    for (const waiter of waiting) {
      // In order of arrival, or a large frame would wait forever behind small ones.
      if (!fits(waiter.count)) return;
      readings += waiter.count;
      waiter.enter();
    }
  }

  /**
   * Admits `count` readings: at once (then nothing is returned) or later. Rejects, without admitting anything, if the
   * signal aborts.
   */
  function admit(count: number, signal: CallSignal): Promise<void> | undefined {
    if (waiting.size === 0 && fits(count)) {
      readings += count;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const waiter = {
        count,
        enter() {
          waiting.delete(waiter);
          stay();
          resolve();
        },
      };
      if (signal.reason !== undefined) return reject(signal.reason);
      waiting.add(waiter);
      const stay = onCallAbort(signal, () => {
        waiting.delete(waiter);
        reject(signal.reason);
        admitWaiting();
      });
    });
  }

  return {
    get readings() {
      return readings;
    },
    openUnit({ appendsMax, signal, onFailure }) {
      let inFlight = 0;
      let failure: { readonly error: unknown } | undefined;
      let wake: (() => void) | undefined;
      let appended: Appended | undefined = { duplicates: 0, conflicts: 0 };

      async function append(batch: MessageBatch): Promise<void> {
        inFlight++;
        try {
          const found = await log.append(batch);
          release(batch);
          appended = appended && found && sumOf(appended, found);
        } catch (error) {
          if (failure === undefined) {
            failure = { error };
            onFailure();
          }
        }
        inFlight--;
        readings -= batch.length;
        admitWaiting();
        wake?.();
      }

      async function untilInFlight(most: number): Promise<void> {
        while (inFlight > most && failure === undefined) {
          throwIfAborted(signal);
          const { promise, resolve } = Promise.withResolvers<void>();
          wake = resolve;
          const stay = onCallAbort(signal, resolve);
          await promise;
          stay();
        }
        if (failure !== undefined) throw failure.error;
      }

      async function addInTurn(admitted: Promise<void>, batch: MessageBatch): Promise<void> {
        await admitted;
        void append(batch);
        await untilInFlight(appendsMax - 1);
      }

      return {
        add(batch) {
          if (batch.length === 0) return undefined;
          const admitted = admit(batch.length, signal);
          if (admitted !== undefined) return addInTurn(admitted, batch);
          void append(batch);
          return inFlight < appendsMax && failure === undefined ? undefined : untilInFlight(appendsMax - 1);
        },
        async drained() {
          await untilInFlight(0);
          return appended;
        },
      };
    },
  };
}

function sumOf(one: Appended, other: Appended): Appended {
  return { duplicates: one.duplicates + other.duplicates, conflicts: one.conflicts + other.conflicts };
}
