import { alignDown } from "@devicemesh/proto";

/** Offsets by topic and partition: `topic/partition`. */
export type Offsets = ReadonlyMap<string, number>;

/** The offsets of the log that must be read before the frontier may move. */
export type LogPlaces = {
  /** The offsets of the topic of partials. */
  readonly windows: Offsets;
  /** The offsets of the topics of dead letters. */
  readonly deadLetters: Offsets;
};

/** The position of the frontier, and its target. Times are ms by the log's clock. */
export type FrontierState = {
  readonly frontierMs: number;
  readonly target?: { readonly toMs: number; readonly ends: LogPlaces } | undefined;
};

/** The observations of the window job and of the sink of messages. */
export type FrontierObservation = {
  /**
   * The watermark of a batch that is committed: what it closes is in the topic of partials. The windows of what Spark
   * dropped until then are marked, and the sink of messages has handled all that Spark took.
   */
  readonly watermarkMs: number | undefined;
  /** Every message that arrived before this moment is stored, or is a dead letter. */
  readonly completeThroughMs: number | undefined;
};

/**
 * Returns the next target of the frontier, or undefined if there is none or the frontier has a target already. After a
 * target is proposed, the caller reads the ends of the topics and then sets it.
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
 * Returns the state with the target `toMs`. The ends of the topics must be read after it was proposed: then all
 * partials before it, and all dead letters of messages that arrived before it, lie before the ends.
 */
export function aimedAt(state: FrontierState, toMs: number, ends: LogPlaces): FrontierState {
  return { frontierMs: state.frontierMs, target: { toMs, ends } };
}

/** Returns the frontier that these committed offsets allow; undefined if the target is not reached. */
export function reachedFrontier(state: FrontierState, committed: LogPlaces): number | undefined {
  const { target } = state;
  if (!target) return undefined;
  const isReached =
    isPast(committed.windows, target.ends.windows) && isPast(committed.deadLetters, target.ends.deadLetters);
  return isReached ? target.toMs : undefined;
}

/** Returns the state after the frontier was published at `frontierMs`; it never goes back. */
export function movedTo(state: FrontierState, frontierMs: number): FrontierState {
  const reached = Math.max(state.frontierMs, frontierMs);
  return state.target && state.target.toMs > reached
    ? { frontierMs: reached, target: state.target }
    : { frontierMs: reached };
}

/**
 * Returns the next step towards `toMs`, at most `stepMs` of time with partials: after an outage the frontier moves in
 * bounded steps, and over time without partials in one. `firstMs` is the first segment at or after the frontier that
 * has a partial; undefined if there is none.
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

/** A partition without a committed offset counts as read only if it is empty. */
function isPast(committed: Offsets, ends: Offsets): boolean {
  return [...ends].every(([place, end]) => (committed.get(place) ?? 0) >= end);
}
