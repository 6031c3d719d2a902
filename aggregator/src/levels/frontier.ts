import { alignDown } from "@devicemesh/proto";

/** Offsets by place in the log: `topic/partition`. */
export type Offsets = ReadonlyMap<string, number>;

/** The places of the log that must be read before the frontier may move. */
export type LogPlaces = {
  /** Of the topic of partials. */
  readonly windows: Offsets;
  /** Of the topics of dead letters. */
  readonly deadLetters: Offsets;
};

/** Where the frontier is, and where it is about to go. Times are ms by the log's clock. */
export type FrontierState = {
  readonly frontierMs: number;
  readonly target?: { readonly toMs: number; readonly ends: LogPlaces } | undefined;
};

/** What was seen of the window job and of the sink of messages. */
export type FrontierObservation = {
  /** The watermark of a batch that is committed: what it closes is in the topic of partials. */
  readonly watermarkMs: number | undefined;
  /** Everything that arrived before is stored, or a dead letter. */
  readonly completeThroughMs: number | undefined;
};

/**
 * Where the frontier could go next, or undefined if it can go nowhere or is on its way already. Whoever gets
 * a moment takes the ends of the topics after that and sets the target.
 */
export function proposedFrontier(
  state: FrontierState,
  observation: FrontierObservation,
  segmentMs: number,
): number | undefined {
  const { watermarkMs, completeThroughMs } = observation;
  if (state.target || watermarkMs === undefined || completeThroughMs === undefined) return undefined;
  const toMs = alignDown(Math.min(watermarkMs, completeThroughMs), segmentMs);
  return toMs > state.frontierMs ? toMs : undefined;
}

/**
 * The state on its way to `toMs`. The ends are those of the topics after it was proposed: all partials before
 * it and all dead letters of what arrived before it lie before them.
 */
export function aimedAt(state: FrontierState, toMs: number, ends: LogPlaces): FrontierState {
  return { frontierMs: state.frontierMs, target: { toMs, ends } };
}

/** Where the frontier may be now that these offsets are committed; undefined if the target is not reached. */
export function reachedFrontier(state: FrontierState, committed: LogPlaces): number | undefined {
  const { target } = state;
  if (!target) return undefined;
  const isReached =
    isPast(committed.windows, target.ends.windows) && isPast(committed.deadLetters, target.ends.deadLetters);
  return isReached ? target.toMs : undefined;
}

/** The state once the frontier is published at `frontierMs`; it never goes back. */
export function movedTo(state: FrontierState, frontierMs: number): FrontierState {
  const reached = Math.max(state.frontierMs, frontierMs);
  return state.target && state.target.toMs > reached
    ? { frontierMs: reached, target: state.target }
    : { frontierMs: reached };
}

/**
 * The next piece of the way to `toMs`, at most `stepMs` of what has partials: after an outage the frontier moves
 * in bounded pieces, and over time without partials in one. `firstMs` is the first segment at or after the
 * frontier that has a partial; undefined if none has.
 */
export function nextStep(options: {
  readonly frontierMs: number;
  readonly toMs: number;
  readonly firstMs: number | undefined;
  readonly stepMs: number;
}): { readonly sinceMs: number; readonly toMs: number } {
  const { frontierMs, toMs, firstMs = toMs, stepMs } = options;
  const sinceMs = Math.min(Math.max(frontierMs, firstMs), toMs);
  return { sinceMs, toMs: Math.min(sinceMs + stepMs, toMs) };
}

/** A place without a committed offset has been read only if there is nothing in it. */
function isPast(committed: Offsets, ends: Offsets): boolean {
  return [...ends].every(([place, end]) => (committed.get(place) ?? 0) >= end);
}
