/** The delays of probes, in ms after their acknowledgement. */
export type ProbeDelays = {
  /** Until the database had them; 0 if it did before the acknowledgement arrived. Empty if that was not observed. */
  readonly storedMs: readonly number[];
  /** Until an answer counted them; 0 if one did before the acknowledgement arrived. */
  readonly inAnswerMs: readonly number[];
  /** Until the frontier of an answer was after them, so that windows contain them. */
  readonly coveredMs: readonly number[];
};

/** Readings of one device, sent one after the other, and their answers. */
export type ProbeTimes = {
  /** Records the acknowledgement of the next probe at `nowMs`. Times are of one clock, ms since 1970. */
  acknowledged(nowMs: number): void;
  /** Records that the database has `count` probes at `nowMs`. */
  stored(count: number, nowMs: number): void;
  /**
   * Records an answer at `nowMs`: it counts `count` probes, and everything that arrived before `frontierMs` is in
   * windows.
   */
  answered(answer: { readonly count: number; readonly frontierMs: number; readonly nowMs: number }): void;
  /** Number of acknowledged probes that are not yet both in an answer and covered. */
  readonly open: number;
  /** Number of acknowledged probes that are in no answer yet. */
  readonly unanswered: number;
  /** Returns the delays of the probes with these numbers, all by default; `to` is not among them. */
  delays(probes?: { readonly from?: number; readonly to?: number }): ProbeDelays;
};

/**
 * Creates a record without probes. The log's clock must be this machine's: a probe arrived before it was acknowledged.
 */
export function createProbeTimes(): ProbeTimes {
  const acknowledgedMs: number[] = [];
  const storedAtMs: number[] = [];
  const answeredAtMs: number[] = [];
  const coveredAtMs: number[] = [];
  const delaysOf = (times: readonly number[]): number[] =>
    acknowledgedMs.slice(0, times.length).map((ms, probe) => Math.max(0, times[probe]! - ms));
  return {
    acknowledged(nowMs) {
      acknowledgedMs.push(nowMs);
    },
    stored(count, nowMs) {
      while (storedAtMs.length < count) storedAtMs.push(nowMs);
    },
    answered({ count, frontierMs, nowMs }) {
      while (answeredAtMs.length < count) answeredAtMs.push(nowMs);
      for (let probe = coveredAtMs.length; probe < acknowledgedMs.length; probe++) {
        if (acknowledgedMs[probe]! >= frontierMs) break;
        coveredAtMs.push(nowMs);
      }
    },
    get open() {
      return acknowledgedMs.length - Math.min(answeredAtMs.length, coveredAtMs.length);
    },
    get unanswered() {
      return Math.max(acknowledgedMs.length - answeredAtMs.length, 0);
    },
    delays: ({ from, to } = {}) => ({
      storedMs: delaysOf(storedAtMs).slice(from, to),
      inAnswerMs: delaysOf(answeredAtMs).slice(from, to),
      coveredMs: delaysOf(coveredAtMs).slice(from, to),
    }),
  };
}
