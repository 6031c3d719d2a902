import type { GatewayReading, RejectedValue } from "../readings/gateway-reading.ts";

/** The outcome of readings that were submitted together. */
export type Outcome =
  /** Each is durably stored, except those in the list; `index` is the index among the submitted readings. */
  | { readonly kind: "done"; readonly rejected: readonly RejectedValue[] }
  /** Some of them may be stored: submit all of them again later. */
  | { readonly kind: "unavailable"; readonly message: string; readonly retryAfterMs: number };

/** Readings of one submission that are sent together. */
export type Parcel = {
  readonly readings: readonly GatewayReading[];
  readonly outcome: Promise<Outcome>;
  /** Whether the outcome is known, so that nothing more needs to be sent. */
  isSettled(): boolean;
  /** Records that the reading at that index breaks a rule. */
  reject(index: number, rule: Pick<RejectedValue, "field" | "rule" | "text">): void;
  /** Records a failed attempt; the reason is reported if it was the last one. */
  failed(message: string): void;
  /** Records that every reading was stored or rejected. */
  end(): void;
  /** Ends the parcel; it is not sent any more. */
  giveUp(): void;
};

/** Creates a parcel of readings; `places` are their indexes in their submission. It fails after `waitMs`, if given. */
export function createParcel({
  readings,
  places,
  waitMs,
  limits,
}: {
  readonly readings: readonly GatewayReading[];
  readonly places: readonly number[];
  readonly waitMs: number | undefined;
  readonly limits: { readonly retryAfterMs: number };
}): Parcel {
  const { promise: outcome, resolve } = Promise.withResolvers<Outcome>();
  const rejected: RejectedValue[] = [];
  let isSettled = false;
  let failure: string | undefined;

  function settle(result: Outcome): void {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(timer);
    resolve(result);
  }
  const giveUp = (): void => {
    const reason = failure ?? "ingest has not answered";
    const message = `the readings could not be stored in time: ${reason}`;
    settle({ kind: "unavailable", message, retryAfterMs: limits.retryAfterMs });
  };
  const timer = waitMs === undefined ? undefined : setTimeout(giveUp, waitMs);
  return {
    readings,
    outcome,
    isSettled: () => isSettled,
    reject(index, rule) {
      rejected.push({ index: places[index]!, ...rule });
    },
    failed(message) {
      failure = message;
    },
    end: () => settle({ kind: "done", rejected }),
    giveUp,
  };
}
