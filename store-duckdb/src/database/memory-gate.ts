/** A read that runs, or waits to be admitted. */
export type GatedRead = {
  /** Resolves when the read has ended, successfully or not. */
  readonly ended: Promise<void>;
  /** Ends the statement that runs, if there is one. */
  interrupt(): void;
};

/**
 * Leaves the engine's memory to the writes when they may need all of it. The engine has one limit for all statements,
 * and a commit that reaches it may leave the tables in memory wrong. So a write that needs more than the reads leave,
 * and each write for a while after any statement ran out of memory, runs alone: reads wait for it, and those that run
 * for too long are interrupted.
 */
export type MemoryGate = {
  /** Whether a statement ran out of memory lately. */
  readonly isShort: boolean;
  /** Whether a write runs alone or waits for it: then reads must be admitted, and other writes run alone, too. */
  readonly isReserved: boolean;
  /** The memory that reads leave, in bytes: a write that needs more must run alone. */
  readonly leftBytes: number;
  /** The reads that run. Each read is added when it begins, by `admit` if memory is reserved, and removed at its end. */
  readonly reads: Set<GatedRead>;
  /** The writes that run, likewise. */
  readonly writes: Set<Promise<unknown>>;
  /** Reports that a statement ran out of memory. */
  ranOut(): void;
  /** Resolves when a read may begin, after the write that runs or waits; it is added to `reads` then. */
  admit(read: GatedRead): Promise<void>;
  /** Runs a write without any other statement. Settles like `write`. */
  alone<Result>(write: () => Promise<Result>): Promise<Result>;
};

/** Memory counts as short for so long after a statement ran out of it, in ms. */
const defaultShortMs = 10_000;

/** A write waits this long for the reads that run, in ms; after that they are interrupted. */
const defaultPatienceMs = 1000;

/** Interval of further interrupts, in ms: one between two statements of a read has no effect. */
const interruptEveryMs = 20;

/** The operators of the engine take at most four fifths of its memory; blocks that they pin come in addition. */
const leftShare = 1 / 10;

/** Creates the gate for an engine with a limit on its memory; memory is not short. */
export function createMemoryGate({
  limitBytes = Number.POSITIVE_INFINITY,
  shortMs = defaultShortMs,
  patienceMs = defaultPatienceMs,
}: {
  readonly limitBytes?: number;
  readonly shortMs?: number;
  readonly patienceMs?: number;
} = {}): MemoryGate {
  let waiting: (() => void)[] = [];
  let aloneCount = 0;
  let lastAlone: Promise<void> = Promise.resolve();
  let recovery: NodeJS.Timeout | undefined;

  /** The waiting reads run before the next write, or writes without a pause would keep them out. */
  function admitWaiting(): void {
    const admitted = waiting;
    waiting = [];
    for (const admit of admitted) admit();
  }

  async function untilReadsEnd(): Promise<void> {
    const { reads } = gate;
    if (reads.size === 0) return;
    let timer = setTimeout(function interruptAll() {
      for (const read of reads) read.interrupt();
      timer = setTimeout(interruptAll, interruptEveryMs);
    }, patienceMs);
    await Promise.all([...reads].map(({ ended }) => ended));
    clearTimeout(timer);
  }

  const gate = {
    isShort: false,
    isReserved: false,
    leftBytes: limitBytes * leftShare,
    reads: new Set<GatedRead>(),
    writes: new Set<Promise<unknown>>(),
    ranOut() {
      gate.isShort = true;
      clearTimeout(recovery);
      recovery = setTimeout(() => {
        gate.isShort = false;
      }, shortMs);
      recovery.unref();
    },
    async admit(read: GatedRead): Promise<void> {
      if (aloneCount > 0) {
        await new Promise<void>((resolve) => {
          waiting.push(() => {
            gate.reads.add(read);
            resolve();
          });
        });
      } else {
        gate.reads.add(read);
      }
    },
    async alone<Result>(write: () => Promise<Result>): Promise<Result> {
      const before = lastAlone;
      const { promise, resolve } = Promise.withResolvers<void>();
      lastAlone = promise;
      aloneCount++;
      gate.isReserved = true;
      try {
        await before;
        // These began before memory was short.
        await Promise.allSettled(gate.writes);
        await untilReadsEnd();
        return await write();
      } finally {
        aloneCount--;
        gate.isReserved = aloneCount > 0;
        admitWaiting();
        resolve();
      }
    },
  };
  return gate;
}
