import { type PlannedRead, planRead } from "../plan/planner.ts";
import type { DuplicateWindowsFound, PartialsRead, ReadingStore } from "../store/reading-store.ts";

/** Partials that are read as if there were no duplicates, while the duplicates are read. */
export type Guess = Disposable & {
  /** Returns the read if there are no duplicates; otherwise ends it and returns undefined. */
  judge(
    known: DuplicateWindowsFound,
  ): { readonly planned: PlannedRead; readonly read: Promise<PartialsRead> } | undefined;
};

/** After a read whose result was not used, none begins early for this time, in ms: a fleet with duplicates does not read twice. */
const pauseMs = 10_000;

const pausedUntilMs = new WeakMap<ReadingStore, number>();

/**
 * Begins to read partials, so that an answer takes one round trip to a remote store instead of two. It is as exact:
 * only duplicates that arrived before the frontier of the horizon change the plan, and all of them are known once the
 * horizon is read, whatever is read first after it. Returns undefined soon after a read whose result was not used.
 */
export function beginGuess(
  store: ReadingStore,
  {
    request,
    read,
    signal,
  }: {
    readonly request: Parameters<typeof planRead>[0];
    readonly read: (planned: PlannedRead, signal: AbortSignal) => Promise<PartialsRead>;
    readonly signal: AbortSignal;
  },
): Guess | undefined {
  if (performance.now() < (pausedUntilMs.get(store) ?? 0)) return undefined;
  const ending = new AbortController();
  const planned = planRead(request);
  const reading = read(planned, AbortSignal.any([signal, ending.signal]));
  // If its result is not used, no caller waits for it.
  reading.catch(() => {});
  let isRight = false;
  function end(): void {
    if (!isRight) ending.abort(new Error("the partials are read again, because there are duplicates"));
  }
  return {
    judge({ windows, everySeries }) {
      isRight = windows.length === 0 && everySeries === undefined;
      if (isRight) return { planned, read: reading };
      pausedUntilMs.set(store, performance.now() + pauseMs);
      end();
      return undefined;
    },
    [Symbol.dispose]: end,
  };
}
