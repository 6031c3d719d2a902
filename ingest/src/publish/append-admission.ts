import type { Appended, MessageBatch, MessageLog } from "../log/message-log.ts";

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
    readonly signal: AbortSignal;
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
}: {
  readonly log: MessageLog;
  readonly readingsMax: number;
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
  function admit(count: number, signal: AbortSignal): Promise<void> | undefined {
    if (waiting.size === 0 && fits(count)) {
      readings += count;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const waiter = {
        count,
        enter() {
          waiting.delete(waiter);
          signal.removeEventListener("abort", leave);
          resolve();
        },
      };
      function leave(): void {
        waiting.delete(waiter);
        reject(signal.reason);
        admitWaiting();
      }
      if (signal.aborted) return reject(signal.reason);
      waiting.add(waiter);
      signal.addEventListener("abort", leave, { once: true });
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
          signal.throwIfAborted();
          const { promise, resolve } = Promise.withResolvers<void>();
          const goOn = () => resolve();
          wake = goOn;
          signal.addEventListener("abort", goOn, { once: true });
          await promise;
          signal.removeEventListener("abort", goOn);
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
  return {
    duplicates: one.duplicates + other.duplicates,
    conflicts: one.conflicts + other.conflicts,
  };
}
